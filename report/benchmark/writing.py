"""Everything that a benchmark's journal says, as files beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.experiment import Journal
from bench.intervals import Estimate
from report.benchmark import load, others, peers
from report.benchmark.charts import (
    growth_chart,
    latency_chart,
    overload_chart,
    ratio_chart,
    saturation_chart,
)
from report.benchmark.section import Section
from report.charts import save
from report.text_table import Row, markdown
from scenarios.runs.folder import SCHEMA

SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was written."""

    sections: list[Section]
    charts: list[Path]
    failed: list[str]

    @property
    def estimates(self) -> dict[str, Estimate]:
        """All of them, by name."""
        return {name: e for section in self.sections for name, e in section.estimates.items()}


def write_benchmark(folder: Path, about: dict[str, Any]) -> Told:
    """Tables as benchmark.md, charts, and summary.json, from the journal in `folder`."""
    journal = Journal(folder)
    sections = [
        *others.counts(journal.of("counts")),
        *peers.sections(journal.of("peers")),
        *load.sections(journal.of("load")),
        *others.faults(journal.of("faults")),
        *others.saturation(journal.of("saturation")),
        *others.overload(journal.of("overload")),
        *others.growth(journal.of("growth")),
    ]
    ratios = next((section for section in sections if section.title == "Ratios"), None)
    figures: dict[str, Figure | None] = {
        "ratios": ratio_chart(ratios) if ratios else None,
        "latency": latency_chart(journal.of("load")),
        "saturation": saturation_chart(journal.of("saturation")),
        "overload": overload_chart(journal.of("overload")),
        "growth": growth_chart(journal.of("growth")),
    }
    charts = [save(figure, folder, name)[0] for name, figure in figures.items() if figure]
    failed = [f"{d.part}, {d.arm}, round {d.round}: {d.failed}" for d in journal.failed()]
    told = Told(sections=sections, charts=charts, failed=failed)
    text = "\n".join(
        f"## {s.title}\n\n{s.reading}\n\n{markdown(s.columns, s.lines)}" for s in sections
    )
    (folder / "benchmark.md").write_text(text, encoding="utf-8")
    document = {
        "schema": SCHEMA,
        "ok": not failed,
        **about,
        "failed": failed,
        "estimates": {name: e.to_json() for name, e in told.estimates.items()},
        "tables": {s.title: [dict(zip(s.columns, line, strict=True)) for line in s.lines] for s in sections},
    }  # fmt: skip
    (folder / SUMMARY).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return told


def read_estimates(summary: dict[str, Any]) -> dict[str, Estimate]:
    """The estimates in a summary.json."""
    return {name: Estimate(**of) for name, of in summary["estimates"].items()}


def agreement(mine: dict[str, Estimate], other: dict[str, Estimate]) -> Section:
    """Every estimate that both have with an interval: whether the intervals have a value in common."""
    lines: list[Row] = []
    for name in mine.keys() & other.keys():
        a, b = mine[name], other[name]
        if a.low is not None and b.low is not None:
            lines.append((name, b.told(), a.told(), "yes" if a.agrees(b) else "NO"))
    lines.sort(key=lambda line: (line[3], line[0]))
    agree = sum(line[3] == "yes" for line in lines)
    return Section(
        title="Against the other benchmark",
        columns=("estimate", "there", "here", "intervals meet"),
        lines=lines,
        reading=f"{agree} of {len(lines)} agree: their 95 % intervals have a value in common. Wide intervals agree easily; with another --seed customers and chance differ too.",
    )
