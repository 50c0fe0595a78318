"""performance.md is short: its long tables are data files, its charts are drawn from them."""

import re
from pathlib import Path

import pytest

from report.benchmark.charts import ratio_lines
from testbed.performance_charts import CHARTS, DATA, file_of, ratios_of

TEXT = (DATA.parents[1] / "performance.md").read_text()


def test_the_page_has_fewer_than_two_thousand_words_and_names_every_data_file():
    assert len(TEXT.split()) < 2000
    linked = set(re.findall(r"\(data/performance/([^)]+)\)", TEXT))
    assert linked == {path.name for path in DATA.iterdir()}


@pytest.mark.parametrize(("table", "column", "meaning"), CHARTS)
def test_a_chart_shows_every_ratio_of_its_table_with_its_interval(table, column, meaning):
    ratios = ratios_of(table, column)
    assert len(ratios) > 5
    assert all(one.low <= one.value <= one.high for _, one in ratios)
    axes = ratio_lines(ratios, meaning).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [pair for pair, _ in reversed(ratios)]
    texts = [text.get_text() for text in axes.texts]
    assert texts == [f"{one.value:.3g}" for _, one in reversed(ratios)]
    assert Path(DATA / file_of(table, column)).exists()
