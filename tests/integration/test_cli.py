"""The program as a user meets it: exit codes, one clear line for bad input, Ctrl-C."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from choreography.rabbit_connection import server_versions
from testbed.cli import COMMANDS, GROUPS, PARKED

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]
FUTURE = '{"schema": 99, "status": "complete", "style": "x", "scenario": "y"}'
QUICK = ["--orders", "6", "--broker", "memory", "--rate", "100"]


def _assert_one_clear_line(done, *words):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    for word in words:
        assert word in errors[0]


def test_a_run_as_expected_exits_0_and_leaves_a_folder_for_each_style(saga, tmp_path):
    done = saga("run", "card_declined", *QUICK, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema"], document["ok"]) == (1, True)
    assert [run["style"] for run in document["runs"]] == ["choreography", "orchestration"]
    for run in document["runs"]:
        assert (tmp_path / run["folder"] / "verdict.json").exists()
    summary = json.loads(
        (tmp_path / document["runs"][0]["folder"]).parent.joinpath("summary.json").read_text()
    )
    assert len(summary["runs"]) == 2


def test_a_run_that_ends_otherwise_exits_1_and_says_how_to_do_it_again(saga, tmp_path):
    done = saga("run", "delivered_twice", *QUICK, "--guards=-inbox")
    assert done.returncode == 1
    assert "INCONSISTENT" in done.stdout
    assert "again: saga run delivered_twice" in done.stdout


def test_a_run_whose_fault_never_struck_exits_3(saga, tmp_path):
    plan = {
        "schema": 1,
        "faults": [{"orders": [0], "operation": "RefundPayment", "moment": "answer.lost"}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    done = saga("run", "happy_path", *QUICK, "--plan", "plan.json")
    assert done.returncode == 3
    assert "no answer.lost at RefundPayment ever struck" in done.stdout


def test_a_single_run_can_be_done_again_with_the_command_it_prints(saga, tmp_path):
    first = saga("run", "last_item", *QUICK, "--style", "choreography", "--json")
    replay = json.loads(first.stdout)["runs"][0]["replay"].split()
    assert replay[0] == "saga"
    second = saga(*replay[1:], "--json")
    classes = [json.loads(done.stdout)["runs"][0]["classes"] for done in (first, second)]
    assert classes[0] == classes[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nonsense"], ["unknown scenario 'nonsense'", "saga list"]),
        (["run", "happy_path", "--style", "ballet"], ["unknown style 'ballet'", "choreography"]),
        (["run", "happy_path", "--guards=-nothing"], ["unknown guards", "outbox"]),
        (["run", "happy_path", "--broker", "pigeon"], ["unknown broker 'pigeon'", "memory"]),
        (["run", "happy_path", "--engine", "steam"], ["unknown engine 'steam'", "inprocess"]),
        (
            ["run", "happy_path", "--broker", "amqp://127.0.0.1:1/"],
            ["does not answer", "--broker memory"],
        ),
        (["run", "happy_path", "--broker", "amqp://u:hush@127.0.0.1:1/"], ["does not answer"]),
        (
            ["run", "happy_path", "--broker", "memory", "--engine", "http://127.0.0.1:1"],
            ["does not answer"],
        ),
        (["run", "happy_path", "--plan", "absent.json"], ["absent.json", "cannot be read"]),
        (["run", "happy_path", "--plan", "broken.json"], ["broken.json", "not JSON"]),
        (["run", "happy_path", "--plan", "wrong.json"], ["schema"]),
        (
            ["run", "happy_path", "--broker", "memory", "--out", "/proc/nowhere"],
            ["cannot write", "--out"],
        ),
        (["demo", "--broker", "memory", "--out", "/proc/nowhere"], ["cannot write", "--out"]),
        (["report", "absent"], ["is not a folder"]),
        (["report", "empty", "--format", "pdf"], ["unknown format 'pdf'", "html"]),
        (["where", "order-1", "--run", "absent"], ["is not a folder"]),
        (["where", "order-1", "--run", "empty"], ["knows an order 'order-1'", "--run"]),
        (["trace", "order-1", "--run", "empty", "--evidence", "rumour"], ["rumour", "native"]),
        (
            [
                "run",
                "happy_path",
                "--broker",
                "memory",
                "--otlp",
                "http://u:hush@127.0.0.1:1/v1/traces",
            ],
            ["OTLP", "does not answer", "--otlp"],
        ),
        (["run", "happy_path", "--broker", "memory", "--otlp", "udp://x"], ["--otlp", "http://"]),
        (["report", "empty"], ["holds no complete run"]),
        (["report", "future"], ["schema 99", "reads 1"]),
        (["report", "damaged"], ["not JSON"]),
    ],
)
def test_bad_input_gets_one_clear_line_and_leaves_nothing_behind(saga, tmp_path, arguments, words):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text('{"schema": 7}')
    for name, text in (("empty", None), ("future", FUTURE), ("damaged", "{")):
        (tmp_path / name).mkdir()
        if text:
            (tmp_path / name / "run.json").write_text(text)
    before = {p for p in tmp_path.rglob("*") if p.name != "runs"}
    done = saga(*arguments)
    _assert_one_clear_line(done, *words)
    assert "hush" not in done.stderr + done.stdout
    complete = list(tmp_path.rglob("verdict.json"))
    assert complete == []
    assert before <= set(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "happy_path", "--orders", "0"], ["fly"], ["run", "x", "--fast"]]
)
def test_wrong_usage_exits_2(saga, tmp_path, arguments):
    done = saga(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_report_is_made_from_run_folders_alone(saga, tmp_path):
    saga("run", "refund_flaky", *QUICK)
    done = saga("report", "runs", "--out", "page")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "page").iterdir()}
    # Nothing was inconsistent, so there is no chart of it.
    shown = (
        "outcomes",
        "latency",
        "ratios",
        "over_time",
        "breakdown",
        "traceability",
        "service_map",
    )
    charts = {f"{name}.{kind}" for name in shown for kind in ("png", "svg")}
    assert names == {"index.html", "replay.html"} | charts
    for chart in charts:
        assert (tmp_path / "page" / chart).stat().st_size > 4000


def test_where_and_trace_tell_of_an_order_from_evidence_alone(saga, tmp_path):
    saga("run", "refund_fails_forever", *QUICK)
    for folder in (tmp_path / "runs").rglob("ledgers.jsonl"):
        folder.write_text("")  # nobody may look here
    done = saga("where", "order-00003")
    assert done.returncode == 0, done.stderr
    assert "OPEN, parked" in done.stdout
    assert "waits for    RefundPayment, since" in done.stdout
    command = done.stdout.partition("then: saga ")[2].splitlines()[0].split()
    assert command[:2] == ["executions", "redrive"]
    (other,) = (tmp_path / "runs").rglob("*-refund_fails_forever-choreography-*")
    answer = json.loads(saga("where", "order-00003", "--run", other, "--json").stdout)
    assert answer["answer"] == {"status": "OPEN", "last": "BookShipment", "because_of": "BookShipment", "waits_for": "RefundPayment"}  # fmt: skip
    assert set(map(json.dumps, answer["by_evidence"].values())) == {json.dumps(answer["answer"])}
    assert "nothing: the saga is over" in saga("where", "order-00000").stdout
    for kind in ("audited", "correlated", "traced"):
        tree = saga("trace", "order-00003", "--evidence", kind).stdout
        steps = ["PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "RefundPayment"]
        places = [tree.index(step) for step in steps]
        assert places == sorted(places), kind
        assert tree.count("RefundPayment: failed") == 4


def test_what_a_redrive_did_is_in_the_same_story(saga, tmp_path):
    saga("run", "refund_fails_forever", *QUICK, "--style", "choreography")
    run = re.search(r"^  in (.*)$", saga("where", "order-00003").stdout, re.MULTILINE)[1]
    done = saga("dead-letters", "redrive", run, "--all", "--broker", "memory")
    assert done.returncode == 0, done.stderr
    assert "CANCELLED" in saga("where", "order-00003").stdout
    tree = saga("trace", "order-00003", "--evidence", "traced").stdout
    assert tree.index("RefundPayment: failed") < tree.index("RefundPayment: PaymentRefunded")
    assert "CancelOrder: OrderCancelled" in tree


@pytest.mark.slow
def test_the_picture_of_an_order_shows_both_styles(saga, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("typer.launch", opened.append)
    saga("run", "card_declined", *QUICK)
    done = saga("trace", "order-00001", "--html")
    assert done.returncode == 0, done.stderr
    assert opened == [done.stdout.strip()]
    text = (tmp_path / done.stdout.strip()).read_text()
    assert "Choreography: compensated" in text
    assert "Orchestration: compensated" in text


@pytest.mark.slow
def test_traceability_scores_every_kind_of_evidence_in_both_contexts(saga, tmp_path):
    arguments = ["card_declined", "--orders", "6", "--broker", "memory", "--time-scale", "0.05"]
    document = json.loads(saga("traceability", *arguments, "--json").stdout)
    found = {(s["style"], s["context"]): s["scores"] for s in document["scored"]}
    assert len(found) == 4
    for (_, context), scores in found.items():
        assert scores["correlated"]["exact"] == 6
        assert scores["traced"]["exact"] == (6 if context == "intact" else 0)
    (text,) = tmp_path.rglob("traceability.md")
    assert text.read_text().count("| card_declined |") == 16


def test_help_and_list_name_everything(saga, tmp_path):
    assert "Exit codes" in saga("--help").stdout
    document = json.loads(saga("list", "--json").stdout)
    assert {"scenarios", "faults", "guards", "styles"} <= document.keys()
    assert all(text for text in document["scenarios"].values())


def test_the_environment_variable_chooses_the_broker_and_its_password_is_never_shown(
    saga, monkeypatch
):
    monkeypatch.setenv("SAGA_AMQP_URL", "amqp://u:hush@127.0.0.1:1/")
    done = saga("run", "happy_path", "--orders", "2")
    _assert_one_clear_line(done, "RabbitMQ at amqp://")
    assert "hush" not in done.stderr


def test_a_port_in_use_gets_one_clear_line_from_the_engine(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "orchestration", "engine", "--port", port, "--data", "d", "--lambda-endpoint", "http://x"],
            cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    _assert_one_clear_line(done, "address already in use")


def test_a_foreign_history_file_is_refused_and_left_untouched(tmp_path):
    letter = b"Dear engine, " * 500
    (tmp_path / "history.sqlite").write_bytes(letter)
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "engine", "--port", "0", "--data", ".", "--lambda-endpoint", "http://x"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    _assert_one_clear_line(done, "history.sqlite")
    assert (tmp_path / "history.sqlite").read_bytes() == letter


def _children(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child, *_children(child)]
    return found


@pytest.mark.parametrize(
    ("pair", "number"),
    [
        ("embedded", signal.SIGINT),
        pytest.param("embedded", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("real", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("real", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_ends_soon_leaves_no_child_and_a_readable_folder(
    saga, tmp_path, request, pair, number
):
    broker, scenario = ["--broker", "memory"], "happy_path"
    if pair == "real":
        request.getfixturevalue("rabbit")
        broker = ["--broker", "rabbitmq"]
    process = subprocess.Popen(
        [
            *PROGRAM,
            "run",
            scenario,
            "--style",
            "orchestration",
            "--orders",
            "500",
            "--rate",
            "10",
            *broker,
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("runs/*/run.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    children = _children(process.pid)
    assert children or pair == "embedded"
    started = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 2.5
    assert process.returncode == 130
    assert "Traceback" not in errors
    while alive := [pid for pid in children if Path(f"/proc/{pid}/stat").exists()]:
        # helpers of the Erlang VM notice its death by themselves
        assert time.monotonic() - started < 2.5, alive
        time.sleep(0.05)
    (about,) = tmp_path.glob("runs/*/run.json")
    assert json.loads(about.read_text())["status"] == "interrupted"
    done = saga("report", "runs")
    _assert_one_clear_line(done, "holds no complete run")


def _runs(done):
    return [Path(run["folder"]) for run in json.loads(done.stdout)["runs"]]


@pytest.mark.slow
def test_dead_letters_are_listed_shown_and_redriven(saga):
    ran = saga("run", "refund_fails_forever", *QUICK[2:], "--orders", 8, "--json")
    choreography, orchestration = _runs(ran)
    listed = json.loads(saga("dead-letters", "list", choreography, "--json").stdout)["parked"]
    assert [row["order_id"] for row in listed] == ["order-00003", "order-00007"]
    assert "order-00007" in saga("dead-letters", "list", choreography).stdout
    shown = json.loads(saga("dead-letters", "show", choreography, "order-00003").stdout)
    assert [attempt["number"] for attempt in shown["attempts"]] == [1, 2, 3, 4]
    assert "injected error" in shown["fault"]
    assert json.loads(shown["body"])["type"] == "saga.ShipmentRefused.v1"
    gone = saga("dead-letters", "discard", choreography, "order-00003", "--yes", *QUICK[2:4])
    assert gone.returncode == 1, "the saga is stuck now, and the verdict must say so"
    assert "stuck" in gone.stdout
    sent = saga("dead-letters", "redrive", choreography, listed[1]["parked_id"], *QUICK[2:4])
    assert "order-00007 RefundPayment: sent on" in sent.stdout
    assert "nothing is parked" in saga("dead-letters", "list", choreography).stdout
    assert "RefundPayment" in saga("executions", "show", orchestration, "order-00003").stdout
    done = saga("executions", "redrive", orchestration, "--all", "--json", *QUICK[2:4])
    assert (done.returncode, len(json.loads(done.stdout)["redrive"])) == (0, 2)


def test_what_cannot_be_operated_on_is_told_in_one_line(saga, tmp_path):
    (folder,) = _runs(saga("run", "happy_path", *QUICK, "--style", "choreography", "--json"))
    cases = [
        (["dead-letters", "redrive", folder], "say which"),
        (["dead-letters", "redrive", folder, "--all"], "nothing parked"),
        (["dead-letters", "show", folder, "nobody"], "no dead letter nobody"),
        (["executions", "list", folder], "use saga dead-letters"),
        (["dead-letters", "list", tmp_path], "is it a run folder?"),
        (["broker", "list"], "either a run folder or --prefix"),
        (["broker", "sweep", "--prefix", "x", "--broker", "memory"], "which server?"),
        (["broker", "list", "--prefix", "x", "--broker", "amqp://127.0.0.1:1/"], "does not answer"),
        (
            ["run", "happy_path", "--processes", "--broker", "memory"],
            "--processes needs the real pair",
        ),
    ]
    for words, told in cases:
        done = saga(*words)
        assert done.returncode == 2, words
        assert told in done.stderr
        assert done.stderr.count("error:") == 1


@pytest.mark.slow
def test_the_command_under_a_chart_makes_exactly_the_runs_of_the_chart(saga, tmp_path):
    options = [
        "--orders",
        5,
        "--broker",
        "memory",
        "--engine",
        "inprocess",
        "--rate",
        90,
        "--saga",
        "trip",
    ]
    saga("run", "flight_full", "happy_path", *options, "--seed", 7, "--out", "first")
    saga("report", "first", "--format", "md", "--out", "page")
    page = (tmp_path / "page" / "report.md").read_text()
    commands = re.findall(r"Again: `(saga run [^`]*)`", page)
    one_scenario = [c for c in commands if " flight_full " not in c or " happy_path " not in c]
    assert len(one_scenario) == page.count("## What happened over time")
    (command,) = set(commands) - set(one_scenario)
    assert saga(*command.split()[1:], "--out", "again").returncode == 0
    first, again = (_decided(tmp_path / name) for name in ("first", "again"))
    assert first == again
    assert len(first) == 4


def _decided(folder):
    """What decides each run, and how its orders ended."""
    decides = (
        "scenario",
        "style",
        "seed",
        "orders",
        "rate_per_s",
        "saga",
        "step_order",
        "guards",
        "policy",
    )
    return sorted(
        json.dumps(
            [
                {k: about[k] for k in decides},
                json.loads((path.parent / "verdict.json").read_text())["judgement"],
            ],
            sort_keys=True,
        )
        for path in folder.rglob("run.json")
        for about in [json.loads(path.read_text())]
    )


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param('{"ok": true}', marks=pytest.mark.slow),
        pytest.param("[]", marks=pytest.mark.long),
        pytest.param('{"schema": 7, "jobs": []}', marks=pytest.mark.long),
    ],
)
def test_what_is_no_run_is_skipped_with_a_line_and_alone_refused(saga, tmp_path, foreign):
    (tmp_path / "runs" / "other").mkdir(parents=True)
    (tmp_path / "runs" / "other" / "run.json").write_text(foreign)
    for command in (("report", "runs"), ("where", "order-00001"), ("trace", "order-00001")):
        _assert_one_clear_line(saga(*command), "runs")
    saga("run", "happy_path", *QUICK)
    done = saga("report", "runs")
    assert done.returncode == 0, done.stderr
    assert "run.json is none of this testbed's runs" in " ".join(done.stdout.split())
    assert saga("where", "order-00001").returncode == 0


def test_loopback_is_reached_without_the_users_proxy_and_profile(saga, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    options = [
        "--orders",
        4,
        "--style",
        "orchestration",
        "--broker",
        "memory",
        "--engine",
        "embedded",
    ]
    done = saga("run", "happy_path", *options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_a_short_name_everywhere(saga, option):
    for command in ((), ("run",), ("dead-letters", "list")):
        done = saga(*command, option)
        assert (done.returncode, "Usage: saga" in done.stdout) == (0, True)


def test_the_version_is_shown(saga):
    assert saga("--version").stdout.startswith("saga-testbed 0.1.0, Python 3.")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("run", "card_decline"), "card_declined"),
        (("run", "happy_path", "--style", "orchestraton"), "orchestration"),
        (("run", "happy_path", "--guards=-inbx"), "inbox"),
        (("run", "happy_path", "--step-order", "paralel"), "parallel"),
        (("explore", "--bug", "no_tombstone"), "no_tombstones"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_one(saga, arguments, meant):
    _assert_one_clear_line(saga(*arguments), f"did you mean '{meant}'?")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ({"operation": "ChargePayment", "moment": "answer.lots"}, "answer.lost"),
        ({"operation": "ChargePayments", "moment": "answer.lost"}, "ChargePayment"),
    ],
)
def test_an_unknown_name_in_a_plan_is_answered_with_the_nearest_one(saga, tmp_path, line, meant):
    plan = {"schema": 1, "faults": [{"orders": "all"} | line]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    done = saga("run", "any_ending", "--plan", "plan.json")
    _assert_one_clear_line(done, f"did you mean '{meant}'?", "use ")


async def test_the_server_says_which_versions_it_has(rabbit):
    found = await server_versions(rabbit.url)
    assert set(found) == {"rabbitmq", "erlang"}
    assert all(re.match(r"\d+(\.\d+)+", version) for version in found.values()), found


def test_a_run_names_its_code_and_its_database(saga, tmp_path):
    saga("run", "happy_path", *QUICK, "--style", "choreography")
    (path,) = (tmp_path / "runs").rglob("run.json")
    about = json.loads(path.read_text())
    assert about["versions"]["sqlite"] == sqlite3.sqlite_version
    assert set(about["source"]) == {"commit", "changed"}
    commit = about["source"]["commit"]
    assert commit is None or re.fullmatch("[0-9a-f]{40}", commit)


def test_windows_is_told_where_to_run_it_in_one_sentence(saga, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    done = saga("demo")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: saga runs on Linux and macOS: on Windows install WSL2 (wsl --install) and run it there"
    ]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("saga ru", {"run"}),
        ("saga run lost_r", {"lost_reply"}),
        ("saga sweep --sim", {"--simulated"}),
    ],
)
def test_a_shell_completes_commands_options_and_scenarios(saga, monkeypatch, words, offered):
    monkeypatch.setenv("_SAGA_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert set(saga().stdout.split()) == offered


def test_help_shows_every_command_once_in_its_group_on_one_line(saga):
    text = saga("--help").stdout
    lines = [
        line.split() for line in text.splitlines() if line.startswith("  ") and "  " in line.strip()
    ]
    for name in (*COMMANDS, *PARKED):
        assert sum(words[0] == name for words in lines) == 1, name
    for group in GROUPS:
        assert f"{group}:" in text
    assert "..." not in text.partition("Options:")[2]


def test_no_help_text_says_what_the_style_guide_replaces(saga):
    for name in (*COMMANDS, *PARKED):
        text = saga(name, "--help").stdout
        assert text.strip(), name
        for word in ("told", "tells", " dear", "besides", "anew", "becomes of", "carry out"):
            assert word not in text, (name, word)
