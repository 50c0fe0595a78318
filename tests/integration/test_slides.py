"""The deck of the workshop: complete in itself, from the documentation's own figures, and turned with the keyboard."""

import base64
import re
from pathlib import Path

import pytest

from kernel.errors import UsageError
from report.slides import deck, slides
from testbed.cli import GROUPS
from testbed.commands.slides import labs
from tests.browser import opened

DOCS = Path(__file__).parents[2] / "docs"


def test_a_deck_loads_nothing_and_says_what_the_documentation_says(saga, tmp_path):
    done = saga("slides", "--out", tmp_path / "deck.html")
    assert done.returncode == 0
    text = (tmp_path / "deck.html").read_text()
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "1,072 of 1,080 answered" in text
    assert text.count("<section") == len(slides(DOCS)) + 1
    assert "The refund that fails" in text


def test_a_folder_that_cannot_be_written_is_one_line(saga, tmp_path):
    done = saga("slides", "--out", tmp_path / "nowhere" / "deck.html")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("cannot be written: No such file or directory")


def test_without_the_documentation_there_is_no_deck(tmp_path):
    with pytest.raises(UsageError, match="make slides in a clone"):
        deck(tmp_path)


def test_every_command_of_a_slide_exists():
    known = {command for group in GROUPS.values() for command, *_ in group}
    named = {slide.command.split()[1] for slide in (*slides(DOCS), labs()) if slide.command}
    assert named - known == set()


async def test_every_slide_is_one_printed_page(tmp_path):
    page = tmp_path / "deck.html"
    page.write_text(deck(DOCS, [labs()]))
    async with opened(page, tmp_path) as browser:
        printed = await browser.call("Page.printToPDF", preferCSSPageSize=True)
        pages = re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"]))
    assert len(pages) == len(slides(DOCS)) + 1


async def test_slides_are_turned_with_the_keyboard(tmp_path):
    page = tmp_path / "deck.html"
    page.write_text(deck(DOCS))
    shown = "[...document.querySelectorAll('section')].filter(s => s.offsetHeight).map(s => s.id).join()"
    whole = "[...document.querySelectorAll('section')].find(s => s.offsetHeight).offsetHeight <= innerHeight"
    async with opened(page, tmp_path) as browser:
        for _ in slides(DOCS):
            assert await browser.run(whole)
            await browser.press(" ")
        await browser.press("Home")
        assert await browser.run(shown) == "1"
        for key, number in (
            ("ArrowRight", "2"),
            ("End", str(len(slides(DOCS)))),
            ("ArrowLeft", str(len(slides(DOCS)) - 1)),
            ("Home", "1"),
        ):
            await browser.press(key)
            assert await browser.run(shown) == number
        assert await browser.run("document.documentElement.scrollWidth <= innerWidth")
        assert browser.errors == []
