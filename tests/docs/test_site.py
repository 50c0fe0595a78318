"""The documentation site: every link leads somewhere, no page needs a network, and search works on pages opened from a disk."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import opened

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="(https?://[^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there_and_loads_nothing_from_a_network(site):
    pages = sorted(site.rglob("*.html"))
    sources = [path for path in (ROOT / "docs").rglob("*.md") if "mutants" not in path.parts]
    assert len(pages) == len(sources) + 1  # 404.html
    assert {p.name: found for p in pages if (found := LOADED.findall(p.read_text()))} == {}


@pytest.mark.parametrize("width", [pytest.param(1400, marks=pytest.mark.slow), 400])
async def test_search_finds_a_page_without_a_network(site, tmp_path, width):
    async with opened(site / "index.html", tmp_path, width=width) as page:
        assert "Saga testbed" in await page.run("document.title")
        assert await page.run("document.documentElement.scrollWidth - window.innerWidth") <= 0

        field = "document.querySelector('input.md-search__input')"
        typed = f"{field}.focus(); {field}.value = 'tombstones'"
        keyup = f"{field}.dispatchEvent(new KeyboardEvent('keyup', {{bubbles: true}}))"
        found = "document.querySelector('.md-search-result__meta').textContent.includes('matching')"
        async with asyncio.timeout(20):
            while not await page.run(f"{typed}; {keyup}; {found}"):
                await asyncio.sleep(0.5)
        assert page.errors == []


async def test_a_reference_page_shows_its_table(site, tmp_path):
    async with opened(site / "reference/guards.html", tmp_path) as page:
        assert "semantic_lock" in await page.run("document.body.innerText")
        assert page.errors == []
