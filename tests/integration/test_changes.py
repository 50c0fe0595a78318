"""Five changes as saga folders: each is a sound saga, its cost is read from the folders, and old and new are really run together."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.changes import folders
from bench.changes.cost import AtOnce, cost, try_order
from bench.changes.deployment import CLIENT, deployment
from bench.changes.folders import NAMES, named
from bench.changes.lines import PAGE, SHARED, files_touched, reacting_otherwise, touched
from bench.changes.rollout import ORDERS, roll_out
from bench.changes.verdict import NEITHER, judged
from kernel.errors import UsageError
from scenarios.campaigns.simulation.explore import explore_part
from scenarios.campaigns.simulation.schedule import Space
from scenarios.checks.index import findings_of
from scenarios.runs.rollout import CONDUCTOR
from scenarios.styles.index import STYLES
from testbed.changes_docs import DATA
from testbed.cli import command

REACTING, CONDUCTED = sorted(STYLES.values(), key=lambda style: style.conducted)
RUNS = 60


@pytest.mark.parametrize("name", NAMES)
def test_every_patch_makes_a_folder_with_nothing_to_mend(name):
    change = named(name)
    for version in (change.old, change.new):
        assert list(findings_of(version.saga)) == []
    assert change.old.files != change.new.files


@pytest.mark.parametrize("name", NAMES)
def test_every_changed_saga_is_consistent_under_faults_in_both_styles(name):
    saga = named(name).new.saga
    space = Space(styles=list(STYLES), faults=(0, 3), seed=1, saga=saga.address, variants=[saga.variant])  # fmt: skip
    found = explore_part(space, 0, RUNS, True)
    assert found.kinds == {}
    assert found.struck > 0
    assert found.classes["committed"] > RUNS


def test_a_patch_that_no_longer_fits_is_refused_with_its_name(tmp_path, monkeypatch):
    text = (folders.PATCHES / "swap_steps.patch").read_text().replace("OrderPlaced", "OrderMade")
    (tmp_path / "swap_steps.patch").write_text(text)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path, lines in named("swap_steps").old.files.items():
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(folders, "PATCHES", tmp_path)
    with pytest.raises(UsageError, match=r"swap_steps\.patch does not apply to the order saga"):
        folders._apply("swap_steps", copy)


def test_a_check_before_payment_changes_its_neighbours_reactions_or_the_page_and_nobody_else():
    change = named("insert_check")
    assert reacting_otherwise(change) == {"inventory", "screening", "payment"}
    reacting, conducted = (touched(change, conducted=c) for c in (False, True))
    assert reacting.keys() == {"inventory", "screening", "payment", PAGE, SHARED}
    assert conducted.keys() == {"screening", CONDUCTOR, SHARED}


def test_swapping_two_steps_touches_every_service_that_reacts_and_none_that_is_called():
    change = named("swap_steps")
    reacting, conducted = (touched(change, conducted=c) for c in (False, True))
    assert reacting.keys() == set(change.new.saga.services)
    assert conducted.keys() == {CONDUCTOR}
    assert files_touched(change, conducted=False) == ["reactions.py"]
    assert files_touched(change, conducted=True) == ["order_saga.asl.json"]


def test_a_listener_is_deployed_alone_where_services_react_and_before_the_conductor_where_they_are_called():
    change = named("add_listener")
    assert deployment(change, conducted=False) == ("loyalty",)
    assert deployment(change, conducted=True) == ("loyalty", CONDUCTOR)


def test_a_payload_field_has_everybody_redeployed_in_both_styles_and_the_client_last():
    change = named("change_field")
    for conducted in (False, True):
        parts = deployment(change, conducted=conducted)
        assert set(parts) == {*change.new.saga.services, CLIENT}
        assert parts[-1] == CLIENT


def test_whoever_hears_a_new_event_is_deployed_before_whoever_announces_it():
    parts = deployment(named("add_step"), conducted=False)
    assert parts.index("shipping") < parts.index("packing")
    assert parts.index("payment") < parts.index("packing")


@pytest.mark.parametrize("name", ["add_step", "insert_check", "add_listener"])
def test_a_conductor_takes_a_new_service_only_after_it_is_there(name):
    change = named(name)
    parts = deployment(change, conducted=True)
    assert try_order(change, CONDUCTED, parts).verdict.clean
    wrong = try_order(change, CONDUCTED, parts[::-1]).verdict
    assert not wrong.clean
    assert sum(wrong.harmed) > 0


def test_executions_in_flight_keep_their_machine_when_two_steps_are_swapped():
    change = named("swap_steps")
    old, new = change.old.saga, change.new.saga
    rolled = roll_out(CONDUCTED, old, new, deployment(change, conducted=True), seed=1)
    verdict = judged(CONDUCTED, old, new, rolled)
    assert verdict.clean
    assert sum(verdict.ended.values()) == ORDERS
    rows = rolled.ledgers["payment"]["ledger"]
    causes = {r["caused_by"].partition(":")[2] for r in rows if r["operation"] == "ChargePayment"}
    assert causes == {"StockReserved", "OrderPlaced"}, "some of either version"


def test_no_order_of_deployment_inserts_a_check_into_a_chain_of_reactions():
    found = cost(named("insert_check"), REACTING)
    assert found.at_once is AtOnce.UNSAFE
    assert len(found.tried) == 6
    assert all(one.verdict.why for one in found.tried)


def test_a_listener_joins_a_choreography_while_it_runs():
    change = named("add_listener")
    old, new = change.old.saga, change.new.saga
    rolled = roll_out(REACTING, old, new, ("loyalty",), seed=1)
    assert judged(REACTING, old, new, rolled).clean
    points = {row["order_id"] for row in rolled.ledgers["loyalty"]["ledger"]}
    booked = {r["order_id"] for r in rolled.ledgers["shipping"]["ledger"] if r["effect"] == "done"}
    assert points < booked
    assert points


def test_a_service_that_cannot_read_its_own_rows_goes_down_and_is_reported():
    change = named("change_field")
    parts = deployment(change, conducted=False)
    rolled = roll_out(REACTING, change.old.saga, change.new.saga, parts, seed=1)
    assert rolled.died == ["order: not an order: it lacks address"]
    verdict = judged(REACTING, change.old.saga, change.new.saga, rolled)
    assert "order went down" in verdict.words()


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_rollout_is_judged_by_its_rows(style):
    """Money that is taken twice is seen, whoever took it."""
    change = named("add_listener")
    old, new = change.old.saga, change.new.saga
    rolled = roll_out(style, old, new, deployment(change, conducted=style.conducted), seed=1)
    ledgers = json.loads(json.dumps(rolled.ledgers))
    rows = ledgers["payment"]["ledger"]
    again = next(row for row in rows if row["effect"] == "done")
    rows.append(again | {"seq": rows[-1]["seq"] + 1})
    verdict = judged(style, old, new, replace(rolled, ledgers=ledgers))
    assert not verdict.clean
    assert verdict.wrong == {"duplicated": 1}


def test_a_listener_that_was_forgotten_is_seen_in_an_order_that_was_all_new_and_no_other_order_is_blamed():
    change = named("add_listener")
    old, new = change.old.saga, change.new.saga
    rolled = roll_out(REACTING, old, new, ("loyalty",), seed=1)
    ledgers = json.loads(json.dumps(rolled.ledgers))
    forgotten = ledgers["loyalty"]["ledger"].pop()["order_id"]
    (one,) = [placed for placed in rolled.placed if placed.order.order_id == forgotten]
    assert one.by_new
    verdict = judged(REACTING, old, new, replace(rolled, ledgers=ledgers))
    assert verdict.wrong == {NEITHER: 1}
    assert verdict.ended["committed"] > 0


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_the_same_rollout_gives_the_same_rows(style):
    change = named("add_step")
    parts = deployment(change, conducted=style.conducted)
    one, two = (roll_out(style, change.old.saga, change.new.saga, parts, seed=2) for _ in range(2))
    assert one.ledgers == two.ledgers


def test_the_documented_lines_and_deployments_are_those_of_the_folders():
    kept = {one["change"]: one for one in json.loads(DATA.read_text())["changes"]}
    assert tuple(kept) == NAMES
    for name in NAMES:
        change = named(name)
        assert (kept[name]["words"], kept[name]["shows"]) == (change.words, change.shows)
        for style in STYLES.values():
            found, whose = kept[name]["styles"][style.name], touched(change, conducted=style.conducted)  # fmt: skip
            assert found["files_touched"] == files_touched(change, conducted=style.conducted)
            assert found["lines_added"] == sum(one.added for one in whose.values())
            assert found["lines_removed"] == sum(one.removed for one in whose.values())
            assert set(found["redeploy"]) == set(deployment(change, conducted=style.conducted))


def test_one_change_is_printed_as_data_with_what_was_tried(capsys):
    with pytest.raises(SystemExit) as ended:
        command("change").main(["swap_steps", "--json"], prog_name="saga")
    assert ended.value.code == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    kept = {one["change"]: one for one in json.loads(DATA.read_text())["changes"]}
    assert change == kept["swap_steps"], "run make docs"
    conducted = change["styles"][CONDUCTED.name]
    assert conducted["services"] == 0
    assert conducted["at_once"] == "safe"


def test_an_unknown_change_is_refused_with_the_names_there_are():
    with pytest.raises(UsageError, match="the changes are add_step, insert_check, swap_steps"):
        command("change").main(["nothing"], standalone_mode=False)


def test_data_are_written_for_all_changes_only(tmp_path):
    with pytest.raises(UsageError, match="--write is for all changes"):
        command("change").main(
            ["add_step", "--write", str(tmp_path / "x.json")], standalone_mode=False
        )
    for path, text, match in (
        (tmp_path / "no" / "x.json", None, "No such file or directory"),
        (tmp_path, None, "Is a directory"),
        (tmp_path / "notes.txt", "notes", "is no JSON file"),
        (tmp_path / "run.json", '{"orders": 1}', "has no data of changes"),
    ):
        if text:
            path.write_text(text)
        with pytest.raises(UsageError, match=match):
            command("change").main(["--write", str(path)], standalone_mode=False)
        assert not text or path.read_text() == text


def test_the_folders_of_a_change_can_be_had_checked_and_run(saga, tmp_path):
    done = saga("change", "swap_steps", "--make", "sagas")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "sagas").iterdir()) == ["change_base", "change_swap_steps"]  # fmt: skip
    program = Path(sys.executable).parent
    for line in done.stdout.splitlines():
        checked = subprocess.run(
            [str(program / word) if word == "saga" else word for word in line.split()],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "nothing to mend" in checked.stdout
    refused = saga("change", "swap_steps", "--make", "sagas")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "sagas/change_base exists: choose another folder" in refused.stderr
