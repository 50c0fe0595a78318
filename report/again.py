"""The command that makes a section's data again."""

import re

from bench.results import RunRow
from kernel.loading import DEFAULT
from report.found import Found
from scenarios.styles.index import STYLES

_ONE_RUN = re.compile(r"^saga run \S+ --style \S+ ")


def command_of(found: Found, usual: str) -> str:
    """What makes these data again. Runs of scenarios: exactly those, in one command for all that differ in scenario and style alone."""
    first = found.rows[0]
    if not usual.startswith("saga run"):
        saga = "" if first.saga.address == DEFAULT else f" --saga {first.saga.address}"
        return f"{usual} --seed {first.about['seed']}{saga}"
    alike: dict[str, list[RunRow]] = {}
    for row in found.rows:
        replay = _ONE_RUN.sub("", str(row.about["replay"]))
        alike.setdefault(replay, []).append(row)
    return "; ".join(_again(rows, options) for options, rows in alike.items())


def _again(rows: list[RunRow], options: str) -> str:
    names = " ".join(dict.fromkeys(row.scenario for row in rows))
    styles = {row.style for row in rows}
    style = "" if styles == set(STYLES) else f" --style {','.join(sorted(styles))}"
    return f"saga run {names}{style} {options}"
