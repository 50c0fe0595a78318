"""Which style for a case: evidence for every criterion, weights that follow from the case, and what would flip the result."""

import json
from pathlib import Path

import pytest

from kernel.errors import UsageError
from kernel.guards import OFF
from report.decision.answer import Result, decide, flips
from report.decision.case import QUESTIONS, Case, read_case
from report.decision.criteria import CRITERIA
from report.decision.criterion import lean
from report.decision.figures import measured, prevented, published
from report.decision.tables import build_first
from report.found import collect
from report.page import write_report
from scenarios.styles.index import STYLES

DOCS = Path(__file__).parents[2] / "docs"
WORKED = {
    "approval": Result.ORCHESTRATION,
    "marketplace": Result.HYBRID,
    "sensors": Result.CHOREOGRAPHY,
}


def case_of(name, **changes):
    path = DOCS / "cases" / f"{name}.yaml"
    return Case.of(read_case(path) | changes, where=name)


@pytest.mark.parametrize(("name", "result"), WORKED.items())
def test_the_worked_cases_differ_in_their_result(name, result):
    answer = decide(case_of(name), CRITERIA)
    assert answer.result is result
    shown = (DOCS / "decide.md").read_text()
    assert f"For this case: {result}. " in shown


@pytest.mark.parametrize("name", WORKED)
def test_whatever_is_said_to_flip_a_result_flips_it(name):
    answer = decide(case_of(name), CRITERIA)
    found = flips(answer, CRITERIA)
    assert found
    for flip in found:
        what, _, value = flip.what.partition(" instead of ")[0].rpartition(" ")
        if what in QUESTIONS:
            changed = {"true": True, "false": False}.get(value) if what == "aws" else float(value)
            other = decide(case_of(name, **{what: changed}), CRITERIA)
        else:
            criterion = what.removeprefix("weight of '").removesuffix("'")
            other = decide(answer.case, CRITERIA, {criterion: int(value)})
        assert other.result is flip.result is not answer.result
    for kind in (True, False):  # answers, then weights
        far = [flip.far for flip in found if flip.what.startswith("weight of") is not kind]
        assert far == sorted(far)
    kinds = [flip.what.startswith("weight of") for flip in found]
    assert kinds == sorted(kinds)


def test_evidence_speaks_for_the_style_with_less_and_clearly_from_a_factor_of_two():
    assert [lean(*pair) for pair in ((1, 1), (1.05, 1), (1.5, 1), (2, 1), (1, 2), (0, 0), (1, 0))] == [
        0, 0, 1, 2, -2, 0, 2,
    ]  # fmt: skip


def test_every_measured_figure_stands_in_the_document_that_it_names():
    for figure in measured().values():
        text = (DOCS / figure.doc).read_text() + "".join(
            path.read_text() for path in sorted(DOCS.glob("data/**/*.csv"))
        )
        for quote in figure.quotes:
            parts = [part.strip() for part in quote.strip("| ").split("|")]
            assert quote in text or ",".join(parts) in text, (figure.name, quote)


def test_every_published_figure_has_a_source_and_a_year():
    for figure in published().values():
        assert figure.source_of
        assert 2020 < figure.year < 2027


def test_a_figure_that_does_not_apply_is_not_shown():
    def cells(name, **changes):
        answer = decide(case_of("approval", **changes), CRITERIA)
        (line,) = [one for one in answer.lines if one.criterion.name == name]
        return line.evidence

    on_aws = cells("after the coordinator was killed")
    assert on_aws.orchestration.startswith("does not apply: ")
    assert on_aws.favours == 0
    assert cells("after the coordinator was killed", aws=False).favours == 2
    assert "not measured here" in cells("orders a second", orders_per_s=1000).choreography
    assert cells("large payloads", payload_kib=230).orchestration == "not measured above 200 KiB"
    assert cells("large payloads", payload_kib=300).orchestration.startswith("impossible: ")
    assert cells("large payloads", payload_kib=300, aws=False).favours == 0
    assert cells("human and long waits").favours == 1
    assert cells("human and long waits", aws=False).favours == 0
    assert cells("overload").favours == 0


def test_safeguards_come_by_what_they_prevent_and_only_those_that_the_style_needs():
    told = build_first(decide(case_of("approval"), CRITERIA))
    guards = [line.partition(":")[0] for line in told]
    assert set(guards) == {g for g in OFF if g not in STYLES["orchestration"].guards_without}
    hybrid = [
        line.partition(":")[0] for line in build_first(decide(case_of("marketplace"), CRITERIA))
    ]
    assert set(hybrid) == set(OFF)
    counts = [sum(n for n, _ in one.cells.values()) for one in prevented()]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "guard", ["tombstones", "inbox", "outbox", "dead_letters", "timeouts", "confirms"]
)
def test_what_a_safeguard_prevents_is_what_the_sweep_counts(saga, guard):
    done = saga("sweep", "--simulated", f"--guards=-{guard}", "--json")
    broken = "coordinator.forgot"
    bad = [row for row in json.loads(done.stdout)["bad"] if row["strikes"][0]["moment"] != broken]
    (one,) = [p for p in prevented() if p.guard == guard]
    for style, (n, _) in one.cells.items():
        assert sum(row["style"] == style for row in bad) == n


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stepz": 5}, "unknown key 'stepz', did you mean 'steps'?: keys are steps, services, "),
        ({"orders_per_s": -1}, "orders_per_s is -1: write a number from 0.0001 to 1e+06"),
        ({"teams": 2.5}, "teams is 2.5: write a whole number from 1 to 200"),
        ({"refused_ratio": "many"}, "refused_ratio is 'many': write a number from 0 to 1"),
        ({"aws": "perhaps"}, "aws is 'perhaps': write true or false"),
    ],
)
def test_a_case_with_a_wrong_key_or_value_is_refused_with_the_place(changes, told):
    with pytest.raises(UsageError) as refused:
        case_of("approval", **changes)
    assert str(refused.value).startswith("approval: ")
    assert told in str(refused.value)


def _file(tmp_path, text):
    path = tmp_path / "case.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: [1\n", "case.yaml, line 2 is neither YAML nor JSON"),
        ("- steps\n", "is no case: write one `key: value` a line"),
        ("steps: 5\n", "missing services, teams, "),
        ("x" * 70_000, "is larger than 65536 bytes"),
    ],
)
def test_a_file_that_is_no_case_is_refused_in_one_line(saga, tmp_path, text, told):
    done = saga("decide", "--case", _file(tmp_path, text))
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert told in done.stderr


def test_the_command_shows_evidence_flips_safeguards_and_never_a_bare_result(saga):
    done = saga("decide", "--case", DOCS / "cases/approval.yaml")
    assert done.returncode == 0
    for told in (
        "36 of 1,080", "your judgement", "What would change it", "What to build first", "For this case: orchestration",
    ):  # fmt: skip
        assert told in done.stdout
    document = json.loads(saga("decide", "--case", DOCS / "cases/approval.yaml", "--json").stdout)
    assert document["result"] == "orchestration"
    assert len(document["criteria"]) == len(CRITERIA)
    for row in document["criteria"]:
        assert row["choreography"]
        assert row["orchestration"]
        assert row["evidence"]


def test_options_stand_above_the_file_and_a_weight_above_the_rule(saga):
    words = ["decide", "--case", DOCS / "cases/approval.yaml", "--json"]
    assert json.loads(saga(*words, "--listeners", "4").stdout)["result"] == "hybrid"
    rows = json.loads(saga(*words, "--weight", "overload=5").stdout)["criteria"]
    assert [row["why this weight"] for row in rows if row["criterion"] == "overload"] == ["set by you"]  # fmt: skip
    for weight, told in (("overload", "write CRITERION=0 to 5"), ("overlord=3", "criteria are where is my order")):  # fmt: skip
        done = saga("decide", "--case", DOCS / "cases/approval.yaml", "--weight", weight)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert told in done.stderr


@pytest.mark.slow
async def test_a_report_has_the_answer_as_a_section(run_scenario, tmp_path):
    await run_scenario("happy_path", "choreography")
    found = collect(tmp_path / "runs")
    found.answer = decide(case_of("marketplace"), CRITERIA)
    text = write_report(found, tmp_path / "page", formats=["md"])["md"].read_text()
    assert "## Which style for this case?" in text
    assert "Would change it: " in text
    assert "`saga decide --steps 5 " in text
