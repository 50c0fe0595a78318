"""One order in every style that it was run in: a replay, step by step, and its pictures, in one file that needs no network."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.arms import in_arms
from bench.results import RunRow
from kernel.errors import UsageError
from report.charts import inline_svg
from report.conclusions import CONCLUSIONS
from report.flow import flow_figure
from report.gantt import gantt_figure, lasted_ms
from report.html import environment
from report.replay import compared, held, in_short, side_by_side, steps
from report.saga_in_run import SagaInRun
from report.sequence import sequence_figure
from scenarios.styles.index import STYLES

FLOW = "The way that the saga went, over all the ways that it could have gone. 2x = tried twice."
SEQUENCE = (
    "Who said what to whom; times in ms since the customer came. Event → operation: a service that heard the event did this."
    " Dashed: an answer."
)
GANTT = (
    "Where the time went, on one scale for both. Body = a participant at work; queue wait = a message or a call on its way;"
    " backoff = the planned wait before another try; coordination = all else."
)


def write_saga_page(rows: list[RunRow], order_id: str, path: Path | None = None) -> Path:
    """Write the page of an order, by default into the first run's folder; its path.

    Raise UsageError if it cannot be written, or a run knows no such order.
    """
    shown = [row if row.variation else in_arms([row])[0] for row in rows]
    sagas = [SagaInRun(row, order_id) for row in shown if _knows(row, order_id)]
    if not sagas:
        raise UsageError(f"no run knows an order {order_id!r}")
    page = path or sagas[0].row.folder / page_name(order_id)
    text = render(sagas)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {page}: {error.strerror}") from error
    return page


def render(sagas: list[SagaInRun]) -> str:
    """The page as HTML."""
    about = sagas[0].row.about
    return (
        environment()
        .get_template("saga.html.j2")
        .render(
            order_id=sagas[0].order_id,
            scenario=about["scenario"],
            description=" ".join(str(about["description"]).split()),
            held=held(sagas[0]),
            conclusions=[
                CONCLUSIONS[pair]
                for pair in dict.fromkeys(s.row.about["backends"]["pair"] for s in sagas)
            ],
            compared=compared(sagas),
            pictures=_pictures(sagas),
            sagas=[_shown(saga) for saga in sagas],
            replay={
                "sagas": [
                    {"style": saga.row.style, "steps": [asdict(step) for step in steps(saga)]}
                    for saga in sagas
                ],
                "rows": side_by_side(sagas),
            },
        )
    )


def _shown(saga: SagaInRun) -> dict[str, Any]:
    return {
        "style": saga.row.style,
        "arm": saga.row.label,
        "what": STYLES[saga.row.style].words,
        "order_class": saga.order_class,
        "short": in_short(saga),
        "coordinator": saga.row.about["backends"]["coordinator"],
        "again": saga.row.about["replay"],
    }


def _pictures(sagas: list[SagaInRun]) -> list[dict[str, Any]]:
    """The same picture of each saga together."""
    until_ms = 1.02 * max(map(lasted_ms, sagas)) or None
    kinds: tuple[tuple[str, str, Callable[[SagaInRun], Figure | None]], ...] = (
        ("Which way did it go?", FLOW, flow_figure),
        ("Who said what to whom?", SEQUENCE, sequence_figure),
        ("Where did the time go?", GANTT, partial(gantt_figure, until_ms=until_ms)),
    )
    found = []
    for title, reading, draw in kinds:
        drawn = [(saga.row.style, draw(saga)) for saga in sagas]
        figures = [
            {"style": style, "svg": inline_svg(figure, f"{title} {style}. {reading}")}
            for style, figure in drawn
            if figure is not None
        ]
        if figures:
            found.append({"title": title, "reading": reading, "figures": figures})
    return found


def _knows(row: RunRow, order_id: str) -> bool:
    return any(v["order_id"] == order_id for v in row.verdict["orders"])


def page_name(order_id: str) -> str:
    """The file of an order's page, whatever its id is."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in order_id) + ".html"
