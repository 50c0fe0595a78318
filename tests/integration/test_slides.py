"""The deck of the workshop: complete in itself, from the documentation's own figures, and turned with the keyboard."""

import re
from pathlib import Path

import pytest

from kernel.errors import UsageError
from report.slides import deck, slides
from tests.browser import opened

DOCS = Path(__file__).parents[2] / "docs"


def test_a_deck_loads_nothing_and_says_what_the_documentation_says(saga, tmp_path):
    done = saga("slides", "--out", tmp_path / "deck.html")
    assert done.returncode == 0
    text = (tmp_path / "deck.html").read_text()
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "1,072 of 1,080 answered" in text
    assert text.count("<section") == len(slides(DOCS))


def test_a_folder_that_cannot_be_written_is_one_line(saga, tmp_path):
    done = saga("slides", "--out", tmp_path / "nowhere" / "deck.html")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("cannot be written: No such file or directory")


def test_without_the_documentation_there_is_no_deck(tmp_path):
    with pytest.raises(UsageError, match="make slides in a clone"):
        deck(tmp_path)


async def test_slides_are_turned_with_the_keyboard(tmp_path):
    page = tmp_path / "deck.html"
    page.write_text(deck(DOCS))
    shown = "[...document.querySelectorAll('section')].filter(s => s.offsetHeight).map(s => s.id).join()"
    async with opened(page, tmp_path) as browser:
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
