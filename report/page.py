"""One self-contained HTML page, and its charts as files beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from bench.latency import LEAST_N_FOR_INTERVAL, proportion
from bench.results import RunRow
from report.charts import latency_ecdf, outcome_bars, save
from report.sequence import telling_order, timeline
from report.tables import COLUMNS, MEANING, cells
from scenarios.verdict import BAD
from scenarios.verdict import MEANING as CLASS_MEANING
from shared_domain.errors import UsageError

MOST_WITNESSES = 12
CONCLUSIONS = {
    "embedded": "Embedded pair: broker and engine are parts of this process. Verdicts and counts hold;"
    " latencies compare the two styles here, and say nothing about RabbitMQ or AWS.",
    "real": "Real pair: a RabbitMQ node, and the embedded Step Functions engine in a process of its own behind"
    " its HTTP API. Latencies compare the two styles on this machine; the engine's time is not AWS's time.",
    "mixed": "Mixed backends: verdicts and counts only. Latencies of different backends are not comparable.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chart:
    title: str
    svg: Markup
    alt: str


def write_report(rows: list[RunRow], folder: Path, *, left_out: list[str]) -> Path:
    """Write index.html, PNGs and SVGs into `folder`; the path of the page.

    Raise UsageError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        charts = list(_charts(rows, folder))
        page = folder / "index.html"
        page.write_text(_render(rows, charts, left_out), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder} ({error.strerror}): choose another folder with --out"
        ) from error
    return page


def _charts(rows: list[RunRow], folder: Path) -> list[_Chart]:
    made = [("outcomes", "What became of the orders", outcome_bars(rows))]
    if figure := latency_ecdf(rows):
        made.append(("latency", "How long orders took", figure))
    if found := telling_order(rows):
        made.append(("timeline", "One saga in both styles", timeline(*found)))
    charts = []
    for name, title, figure in made:
        _, svg = save(figure, folder, name)
        text = svg.read_text(encoding="utf-8")
        inline = text[text.index("<svg") :]
        # matplotlib escapes every text that it draws, so its SVG may stand in the page as it is.
        charts.append(_Chart(title=title, svg=Markup(inline), alt=f"{name}.png"))  # noqa: S704
    return charts


def _render(rows: list[RunRow], charts: list[_Chart], left_out: list[str]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pairs = dict.fromkeys(row.about["backends"]["pair"] for row in rows)
    return environment.get_template("page.html.j2").render(
        columns=COLUMNS,
        meaning=MEANING,
        lines=[(row.verdict["as_expected"], cells(row)) for row in rows],
        charts=charts,
        runs=[_run(row) for row in rows],
        conclusions=[CONCLUSIONS[pair] for pair in pairs],
        few=[row for row in rows if row.orders < LEAST_N_FOR_INTERVAL[0.95]],
        least=LEAST_N_FOR_INTERVAL[0.95],
        classes={str(k): v for k, v in CLASS_MEANING.items()},
        left_out=left_out,
        facts=rows[0].about,
    )


def _run(row: RunRow) -> dict[str, Any]:
    bad = sum(row.verdict["classes"].get(name, 0) for name in BAD)
    suspects = [o for o in row.verdict["orders"] if o["order_class"] in BAD or o["lied"]]
    return {
        "about": row.about,
        "verdict": row.verdict,
        "name": row.folder.name,
        "inconsistent": str(proportion(bad, row.orders)),
        "faults": row.faults(),
        "suspects": suspects[:MOST_WITNESSES],
        "more": max(0, len(suspects) - MOST_WITNESSES),
        "broken": [law for law in row.verdict["laws"] if not law["held"]],
    }
