"""One order in every style that it was run in: a replay, step by step, and its pictures, in one file that needs no network."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.results import RunRow
from report.charts import inline_svg
from report.flow import flow_figure
from report.gantt import gantt_figure
from report.html import environment
from report.replay import HELD, in_one_sentence, side_by_side, steps
from report.saga import Saga
from report.sequence import sequence_figure
from shared_domain.errors import UsageError

FLOW = "The way that the saga went, over all the ways that it could have gone."
SEQUENCE = "Who said what to whom; times in ms since the customer came."
GANTT = (
    "Where the time went. Body = a participant at work; queue wait = a message or an invocation on its way; coordination = all else."
    " Compare it between styles of one pair of backends only."
)


def write_saga_page(rows: list[RunRow], order_id: str, path: Path | None = None) -> Path:
    """Write the page of an order, by default into the first run's folder; its path.

    Raise UsageError if it cannot be written, or a run knows no such order.
    """
    sagas = [Saga(row, order_id) for row in rows if _knows(row, order_id)]
    if not sagas:
        raise UsageError(f"no run knows an order {order_id!r}")
    page = path or sagas[0].row.folder / f"{_safe(order_id)}.html"
    text = render(sagas)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {page}: {error.strerror}") from error
    return page


def render(sagas: list[Saga]) -> str:
    """The page as HTML."""
    about = sagas[0].row.about
    return (
        environment()
        .get_template("saga.html.j2")
        .render(
            order_id=sagas[0].order_id,
            scenario=about["scenario"],
            story=" ".join(str(about["story"]).split()),
            held=HELD,
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


def _shown(saga: Saga) -> dict[str, Any]:
    pictures: list[tuple[str, str, Figure | None]] = [
        ("Path", FLOW, flow_figure(saga)),
        ("Sequence", SEQUENCE, sequence_figure(saga)),
        ("Time", GANTT, gantt_figure(saga)),
    ]
    return {
        "style": saga.row.style,
        "order_class": saga.order_class,
        "sentence": in_one_sentence(saga),
        "coordinator": saga.row.about["backends"]["coordinator"],
        "again": saga.row.about["replay"],
        "pictures": [
            {"title": title, "reading": reading, "svg": inline_svg(figure, f"{title}, {saga.row.style}: {reading}")}
            for title, reading, figure in pictures
            if figure is not None
        ],
    }  # fmt: skip


def _knows(row: RunRow, order_id: str) -> bool:
    return any(v["order_id"] == order_id for v in row.verdict["orders"])


def _safe(order_id: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in order_id)
