"""The report: one self-contained HTML page, or the same as Markdown, as tables for a spreadsheet, or as JSON; charts as files beside it."""

import csv
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bench.latency import LEAST_N_FOR_INTERVAL, proportion
from bench.results import RunRow
from kernel.errors import UsageError
from report.again import command_of
from report.charts import as_element, save
from report.columns import ORDER_COLUMNS, RUN_COLUMNS, Column, order_rows, values
from report.conclusions import CONCLUSIONS
from report.found import Found, as_json
from report.html import environment
from report.saga_in_run import telling_order
from report.saga_page import write_saga_page
from report.section import Section
from report.sections import headline, sections
from report.tables import COLUMNS, MEANING, cells, distance_from_saturation
from report.text_table import as_objects, comma_separated, markdown
from scenarios.judge.verdict import MEANING as CLASS_MEANING

FORMATS = ("html", "md", "csv", "json")
MOST_WITNESSES = 12
MOST_RUNS = 200
"""Most runs that the page tells of one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A section with its chart as an element of the page."""

    section: Section
    svg: Markup | None


def write_report(
    found: Found, folder: Path, *, formats: Collection[str] = ("html",)
) -> dict[str, Path]:
    """Write the report into `folder`, with its charts as PNG and SVG; format -> its file (csv: the folder of tables).

    Raise UsageError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shown = [_drawn(section, folder) for section in sections(found)]
        written = {}
        for name in formats:
            written[name] = _WRITERS[name](found, shown, folder)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder} ({error.strerror}): choose another folder with --out"
        ) from error
    return written


def _drawn(section: Section, folder: Path) -> _Shown:
    if section.figure is None:
        return _Shown(section=section, svg=None)
    _, svg = save(section.figure, folder, section.name)
    label = f"{section.title} {section.answer} The data are in the table below."
    return _Shown(section=section, svg=as_element(svg.read_text(encoding="utf-8"), label))


def _html(found: Found, shown: list[_Shown], folder: Path) -> Path:
    replay = ""
    if (told := telling_order([row for row in found.rows if _has_evidence(row)])) is not None:
        replay = write_saga_page(*told, folder / "replay.html").name
    path = folder / "index.html"
    path.write_text(_render(found, shown, replay), encoding="utf-8")
    return path


def _has_evidence(row: RunRow) -> bool:
    return (row.folder / "evidence/definition.jsonl").exists() and not row.no_counterpart


def _render(found: Found, shown: list[_Shown], replay: str) -> str:
    rows = found.rows
    pairs = dict.fromkeys(row.about["backends"]["pair"] for row in rows)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            sagas=", ".join(dict.fromkeys(row.saga.name for row in rows)),
            headline=headline([one.section for one in shown]),
            columns=COLUMNS,
            again=command_of(rows),
            meaning=MEANING,
            lines=[(row.verdict["as_expected"], cells(row)) for row in rows],
            shown=shown,
            replay=replay,
            runs=[_run(row) for row in rows[:MOST_RUNS]],
            more_runs=max(0, len(rows) - MOST_RUNS),
            conclusions=[CONCLUSIONS[pair] for pair in pairs] + [distance_from_saturation(rows)],
            few=[row for row in rows if row.orders < LEAST_N_FOR_INTERVAL[0.95]],
            least=LEAST_N_FOR_INTERVAL[0.95],
            classes={str(k): v for k, v in CLASS_MEANING.items()},
            left_out=found.left_out,
            facts=rows[0].about,
        )
    )


def _markdown(found: Found, shown: list[_Shown], folder: Path) -> Path:
    parts = ["# Choreography and orchestration, compared", ""]
    for question, answer, points in headline([one.section for one in shown]):
        parts += [f"- **{question}** {answer}", *(f"  - {point}" for point in points)]
    pairs = dict.fromkeys(row.about["backends"]["pair"] for row in found.rows)
    notes = [*(CONCLUSIONS[pair] for pair in pairs), distance_from_saturation(found.rows)]
    parts += ["", *(f"> {note}\n" for note in notes)]
    parts += ["", markdown(COLUMNS, [cells(row) for row in found.rows])]
    parts += [f"Again: `{command_of(found.rows)}`", ""]
    for one in shown:
        section = one.section
        parts += [f"## {section.title}", "", section.answer, ""]
        parts += [*(f"- {point}" for point in section.points), ""] if section.points else []
        if section.figure is not None:
            parts += [f"![{section.title}]({section.name}.png)", ""]
        parts += [f"How to read it: {section.reading}", "", f"How not: {section.not_reading}", ""]
        parts += [f"Again: `{section.command}`", "", markdown(*section.table)]
    parts += [f"Left out: {text}" for text in found.left_out]
    path = folder / "report.md"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _csv(found: Found, shown: list[_Shown], folder: Path) -> Path:
    for one in shown:
        text = comma_separated(*one.section.numbers())
        (folder / f"{one.section.name}.csv").write_text(text, encoding="utf-8")
    _write_csv(folder / "runs.csv", RUN_COLUMNS, found.rows)
    _write_csv(
        folder / "orders.csv", ORDER_COLUMNS, (o for row in found.rows for o in order_rows(row))
    )
    return folder


def _write_csv(path: Path, columns: Sequence[Column], rows: Iterable[object]) -> None:
    """One line per row, as it comes: there may be a hundred thousand orders."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for row in rows:
            writer.writerow([column.value(row) for column in columns])


def _json(found: Found, shown: list[_Shown], folder: Path) -> Path:
    document = {
        "schema": 1,
        "headline": [
            (question, " ".join([answer, *points]))
            for question, answer, points in headline([one.section for one in shown])
        ],
        "runs": [
            values(RUN_COLUMNS, row) | {"backends": row.about["backends"]} for row in found.rows
        ],
        "sections": [
            {
                "name": one.section.name,
                "title": one.section.title,
                "answer": one.section.answer,
                "command": one.section.command,
                "lines": as_objects(*one.section.numbers()),
            }
            for one in shown
        ],
        "left_out": found.left_out,
    }
    path = folder / "report.json"
    path.write_text(as_json(document), encoding="utf-8")
    return path


_WRITERS = {"html": _html, "md": _markdown, "csv": _csv, "json": _json}


def _run(row: RunRow) -> dict[str, Any]:
    return {
        "about": row.about,
        "arm": row.label,
        "verdict": row.verdict,
        "name": row.folder.name,
        "inconsistent": str(proportion(len(row.bad), row.orders)),
        "faults": row.faults(),
        "suspects": row.bad[:MOST_WITNESSES],
        "more": max(0, len(row.bad) - MOST_WITNESSES),
        "broken": [law for law in row.verdict["laws"] if not law["held"]],
    }
