"""Published systems: every claim is put to the test, and every proof fails where what it proves is not so."""

import asyncio
import json
import re
from dataclasses import replace
from functools import cache

import pytest
from typer.testing import CliRunner

from bench.exhibits.document import document, without_rows
from bench.exhibits.exhibit import CORRECTED, DESCRIBED
from bench.exhibits.index import choose_editions, named, names, readme, story
from bench.exhibits.trials import in_real_time, jobs_of, simulated, try_claims
from kernel.errors import UsageError
from kernel.loading import load_saga
from report.exhibit_page import write_pages
from report.exhibit_tables import missed
from scenarios.runs.environment import Backends
from testbed.commands.exhibit import app
from testbed.exhibit_docs import DATA

EVERY = [(name, claim) for name in names() for claim in named(name).claims]


def _is_long(claim):
    return claim.about == CORRECTED or any(proof.kind == "measurement" for proof in claim.proofs)


QUICK = [pytest.param(n, c, id=f"{n}-{c.name}") for n, c in EVERY if not _is_long(c)]
LONG = [pytest.param(n, c, id=f"{n}-{c.name}") for n, c in EVERY if _is_long(c)]


@cache
def _played(name, edition):
    quick = tuple(claim for claim in named(name).claims if not _is_long(claim))
    return simulated(jobs_of([replace(named(name), claims=quick)], [edition]))


def _tried(exhibit, claim, editions=(DESCRIBED, CORRECTED)):
    played = {}
    for edition in editions:
        played |= _played(exhibit.name, edition)
    if _is_long(claim):
        played |= simulated(jobs_of([replace(exhibit, claims=(claim,))], editions))
    (tried,) = try_claims(replace(exhibit, claims=(claim,)), editions, played)
    return tried


@pytest.mark.parametrize(("name", "claim"), QUICK)
def test_a_claim_holds(name, claim):
    tried = _tried(named(name), claim)
    assert tried.missed == ""
    assert [one for found in tried.editions.values() for one in found]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("name", "claim"),
    [
        pytest.param(*one.values, id=one.id, marks=pytest.mark.long if n else pytest.mark.slow)
        for n, one in enumerate(LONG)
    ],
)
def test_a_claim_that_takes_many_runs_holds(name, claim):
    assert _tried(named(name), claim).missed == ""


def test_runs_in_real_time_leave_folders_and_a_replay_of_the_decisive_order(tmp_path):
    exhibit = named("trip-booking")
    (claim,) = [c for c in exhibit.claims if c.name == "refund-without-a-trace"]
    in_one_style = tuple(replace(proof, styles=proof.styles[:1]) for proof in claim.proofs)
    one = replace(exhibit, claims=(replace(claim, proofs=in_one_style),))
    jobs = jobs_of([one], [DESCRIBED, CORRECTED])
    steps = []
    playing = in_real_time(jobs, Backends(), tmp_path, progress=lambda: steps.append(1))
    tried = try_claims(one, [DESCRIBED, CORRECTED], asyncio.run(playing))
    (page,) = write_pages({"command": "saga exhibit run", **document([(one, tried)])}, tmp_path)
    assert tried[0].missed == ""
    assert len(steps) == len(jobs) == 2
    for edition in (DESCRIBED, CORRECTED):
        replay = f"replay-refund-without-a-trace-{edition}.html"
        assert f'href="{replay}"' in page.read_text()
        assert "trip-00000" in (tmp_path / replay).read_text()


class _Swapped:
    """An exhibit whose described edition is the corrected one, and the other way round."""

    def __init__(self, exhibit):
        self.claims, self._exhibit = exhibit.claims, exhibit

    def address(self, edition):
        return self._exhibit.address({DESCRIBED: CORRECTED, CORRECTED: DESCRIBED}[edition])


@pytest.mark.parametrize(("name", "claim"), QUICK)
def test_no_claim_holds_when_the_two_editions_are_swapped(name, claim):
    swapped = _Swapped(replace(named(name), claims=(claim,)))
    played = _played(name, DESCRIBED) | _played(name, CORRECTED)
    (tried,) = try_claims(swapped, [DESCRIBED, CORRECTED], played)
    assert "expected to be seen" in tried.missed


@pytest.mark.parametrize(("name", "claim"), QUICK)
def test_every_proof_of_a_claim_sees_it_in_the_described_edition_alone(name, claim):
    for proof in claim.proofs:
        for edition in (DESCRIBED, CORRECTED):
            played = _played(name, edition)
            for shown in proof.attempt(named(name).address(edition), played):
                assert shown.shown is (edition == DESCRIBED)
                assert not shown.shown or shown.witnesses or proof.kind == "sweep"


@pytest.mark.parametrize("name", names())
def test_a_readme_tells_the_story_and_names_every_defect_with_what_finds_it_first(name):
    text, exhibit = readme(named(name)), named(name)
    rows = dict(
        re.findall(r"^\| ([a-z0-9-]+) \| (check|run|sweep|measurement) \|", text, re.MULTILINE)
    )
    assert rows == {c.name: c.found_by for c in exhibit.claims if c.about == DESCRIBED}
    assert text.startswith(f"# {exhibit.title}\n")
    (source,) = re.findall(r"^Source: (.*)", text, re.MULTILINE)
    letters = [re.sub(r"\W", "", line) for line in (source, exhibit.source)]
    assert letters[0] == letters[1]
    assert story(exhibit)


@pytest.mark.parametrize("name", names())
def test_both_editions_are_sagas_that_every_command_takes(name):
    for edition in named(name).editions:
        if edition in (DESCRIBED, CORRECTED):
            address = named(name).address(edition)
            assert load_saga(address).address == address


def test_an_unknown_edition_is_no_saga():
    for address in ("choice_versus_catch.printed", "nothing.described", "choice_versus_catch"):
        with pytest.raises(UsageError, match="neither a built-in saga nor a folder"):
            load_saga(address)


def test_a_claim_that_does_not_hold_is_named_with_what_was_expected_and_found(tmp_path):
    exhibit = named("choice-versus-catch")
    claim = next(c for c in exhibit.claims if c.name == "stays-pending")
    wrong = replace(exhibit, claims=(replace(claim, about=CORRECTED),))
    tried = try_claims(wrong, [CORRECTED], _played(exhibit.name, CORRECTED))
    found = {"command": "saga exhibit run", **document([(wrong, tried)])}
    (line,) = missed(found["exhibits"][0])
    assert line.startswith("choice-versus-catch: stays-pending does not hold: corrected")
    assert "expected to be seen, found: nothing of the kind" in line
    (page,) = write_pages(found, tmp_path)
    assert "The claim does not hold" in page.read_text()


def _saga(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_the_list_has_every_exhibit_and_its_editions():
    found = json.loads(_saga("list", "--json").stdout)
    assert [one["exhibit"] for one in found["exhibits"]] == names()
    sagas = {saga for one in found["exhibits"] for saga in one["sagas"]}
    assert "choice_versus_catch.described" in sagas
    assert _saga("list").exit_code == 0


def test_explain_prints_the_readme_and_a_command_for_every_claim():
    text = _saga("explain", "choice-versus-catch").stdout
    assert readme(named("choice-versus-catch")).strip() in text
    for claim in named("choice-versus-catch").claims:
        assert claim.says in text


def test_one_edition_alone_is_run_and_shown_with_its_witnesses(tmp_path):
    ran = _saga(
        "run", "choice-versus-catch", "--edition", DESCRIBED, "--out", str(tmp_path), "--json"
    )
    found = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert found["ok"]
    (exhibit,) = found["exhibits"]
    assert {e for claim in exhibit["claims"] for e in claim["editions"]} == {DESCRIBED}
    shown = exhibit["claims"][0]["editions"][DESCRIBED][1]
    assert [row["delta"] for row in shown["witnesses"] if row["participant"] == "inventory"] == [
        -1,
        -1,
    ]
    assert list(tmp_path.glob("*/choice-versus-catch.html"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "choice-versus-cash"], "did you mean 'choice-versus-catch'"),
        (["explain", "nothing"], "the exhibits are"),
        (["run", "choice-versus-catch", "--edition", "corected"], "did you mean 'corrected'"),
        (["run", "choice-versus-catch", "--write", "x.json"], "--write is for all exhibits"),
        (["run", "choice-versus-catch", "--engine", "inprocess"], "--engine needs --broker"),
    ],
)
def test_bad_input_is_one_line_with_what_there_is(arguments, says):
    ran = _saga(*arguments)
    assert isinstance(ran.exception, UsageError)
    assert says in str(ran.exception)
    assert "\n" not in str(ran.exception)


def test_an_edition_is_chosen_by_its_name():
    assert choose_editions("both") == [DESCRIBED, CORRECTED]
    assert choose_editions(CORRECTED) == [CORRECTED]


def test_the_document_is_about_the_claims_that_are_made_today():
    found = json.loads(DATA.read_text(encoding="utf-8"))
    written = [
        (e["exhibit"], c["claim"], c["says"]) for e in found["exhibits"] for c in e["claims"]
    ]
    assert written == [(name, claim.name, claim.says) for name, claim in EVERY]
    assert all(claim["holds"] for exhibit in found["exhibits"] for claim in exhibit["claims"])


@pytest.mark.parametrize("name", names())
def test_the_quick_part_of_the_written_data_is_what_is_found_now(name):
    exhibit = named(name)
    quick = replace(exhibit, claims=tuple(c for c in exhibit.claims if not _is_long(c)))
    tried = try_claims(
        quick, [DESCRIBED, CORRECTED], _played(name, DESCRIBED) | _played(name, CORRECTED)
    )
    now = json.loads(json.dumps(without_rows(document([(quick, tried)]))))
    (there,) = [e for e in json.loads(DATA.read_text())["exhibits"] if e["exhibit"] == name]
    written = {claim["claim"]: claim for claim in there["claims"]}
    for claim in now["exhibits"][0]["claims"]:
        assert claim == written[claim["claim"]], (
            "saga exhibit run all --write docs/data/exhibits.json"
        )
