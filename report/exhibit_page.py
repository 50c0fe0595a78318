"""The pages of exhibits: one for each, its editions side by side, and one of all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results import RunRow, read_run
from kernel.errors import UsageError
from kernel.loading import EXHIBITS, load_saga
from report.exhibit_tables import HOLDS, in_words, overview, systems
from report.html import environment
from report.saga_page import write_saga_page

OVERVIEW = "exhibits.html"


def write_pages(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """A page for each exhibit of the document, and before them the overview if there are several; their paths.

    Raise UsageError if they cannot be written.
    """
    several = len(document["exhibits"]) > 1
    texts = {
        f"{exhibit['exhibit']}.html": _page(exhibit, document, folder, several=several)
        for exhibit in document["exhibits"]
    }
    if several:
        texts = {OVERVIEW: _overview(document)} | texts
    try:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from error
    return [folder / name for name in texts]


def _overview(document: Mapping[str, Any]) -> str:
    return (
        environment()
        .get_template("exhibits.html.j2")
        .render(
            exhibits=document["exhibits"],
            overview=overview(document),
            systems=systems(document),
            command=document["command"],
        )
    )


def _page(
    exhibit: Mapping[str, Any], document: Mapping[str, Any], folder: Path, *, several: bool
) -> str:
    return (
        environment()
        .get_template("exhibit.html.j2")
        .render(
            exhibit=exhibit,
            overview=OVERVIEW if several else "",
            command=document["command"],
            holds=HOLDS,
            claims=[_shown(exhibit, claim, folder) for claim in exhibit["claims"]],
            pages=_machines(exhibit),
        )
    )


def _shown(exhibit: Mapping[str, Any], claim: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A claim with its editions side by side."""
    sides: list[dict[str, Any]] = []
    for edition, words in exhibit["editions"].items():
        if edition not in claim["editions"]:
            continue
        findings: list[dict[str, Any]] = []
        for one in claim["editions"][edition]:
            rows = [
                row if isinstance(row, str) else in_words(row) for row in one.get("witnesses", ())
            ]
            style, text = one.get("style", ""), one["found"]
            finding = {"style": style, "found": text[0].upper() + text[1:], "rows": rows}
            findings += [finding] if finding not in findings else []
        sides.append(
            {
                "edition": edition,
                "words": words,
                "findings": findings,
                "replay": _replay(claim, edition, folder),
            }
        )
    return {**claim, "sides": sides}


def _replay(claim: Mapping[str, Any], edition: str, folder: Path) -> str:
    """The replay of the decisive order, beside the pages; "" if no run was kept."""
    kept = [one for one in claim["editions"][edition] if one.get("folder") and one.get("order_id")]
    if not kept:
        return ""
    rows: list[RunRow] = [read_run(Path(one["folder"])) for one in kept]
    name = f"replay-{claim['claim']}-{edition}.html"
    return write_saga_page(rows, kept[0]["order_id"], folder / name).name


def _machines(exhibit: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """(edition, file, text) of the state machines of the editions that can be read."""
    found = []
    for edition in exhibit["editions"]:
        try:
            saga = load_saga(f"{exhibit['exhibit'].replace('-', '_')}.{edition}")
        except UsageError:
            continue
        path = saga.state_machines[saga.variant]
        parts = path.parts
        short = "/".join(parts[parts.index(EXHIBITS) :]) if EXHIBITS in parts else "/".join(parts[-3:])  # fmt: skip
        found.append((edition, short, path.read_text(encoding="utf-8")))
    return found
