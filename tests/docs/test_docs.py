"""Documents say what the code does."""

import re
from pathlib import Path

import pytest

from testbed import cli
from testbed.docs import DOCUMENTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_up_to_date(name):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == DOCUMENTS[name](), "run make docs"


@pytest.mark.parametrize("path", [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")], ids=str)
def test_every_link_of_a_document_leads_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_readme_is_short_and_names_commands_and_options_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", text)) - {"are"} <= targets
    commands = {*cli.COMMANDS, *cli.PARKED}
    longest_first = "|".join(sorted(commands, key=len, reverse=True))  # check-oracle before check
    assert set(re.findall(rf"saga ({longest_first})\b", text)) == commands


def test_the_tour_names_modules_that_exist():
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z_/]+\.(?:py|json))`", text):
        if "/" in name:
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *ROOT.glob("*.cff"), *(ROOT / "docs").rglob("*.*")], ids=str
)
def test_a_document_cites_nothing_outside_of_the_repository(path):
    if path.suffix not in (".md", ".cff", ".json"):
        return
    text = path.read_text(encoding="utf-8")
    for place in ("../shared", "../.library", "/work/", "/tmp/", "/home/"):
        assert place not in text, place


def test_a_measured_time_in_the_findings_says_that_it_is_about_so_or_has_an_interval():
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    measured = re.compile(r"\d (?:ms|\u00b5s)\b|times as (?:long|many|expensive)|sagas a second")
    bullets = re.findall(r"^- .*(?:\n  .*)*", text, re.MULTILINE)
    claims = [bullet for bullet in bullets if measured.search(bullet)]
    assert len(claims) >= 5
    for claim in claims:
        assert re.search(r"\babout\b|spread|interval|virtual time", claim), claim
