"""performance.md is short: its long tables are data files, its charts are drawn from them."""

import re
from pathlib import Path

import pytest

from testbed.performance_charts import CHARTS, DATA, draw, file_of, ratios_of

TEXT = (DATA.parents[1] / "performance.md").read_text()


def test_the_page_has_fewer_than_two_thousand_words_and_names_every_data_file():
    assert len(TEXT.split()) < 2000
    linked = set(re.findall(r"\(data/performance/([^)]+)\)", TEXT))
    assert linked == {path.name for path in DATA.iterdir()}


@pytest.mark.parametrize(("table", "column", "meaning"), CHARTS)
def test_a_chart_shows_every_ratio_of_its_table_with_its_interval(table, column, meaning):
    ratios = ratios_of(table, column)
    assert len(ratios) > 5
    assert all(least <= estimate <= most for _, estimate, least, most in ratios)
    axes = draw(table, column, meaning).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [pair for pair, *_ in ratios]
    assert [text.get_text() for text in axes.texts] == [f"{ratio[1]:g}" for ratio in ratios]
    assert Path(DATA / file_of(table, column)).exists()
