"""The command that makes data again."""

import re
from collections.abc import Sequence

from bench.results import RunRow
from scenarios.styles.index import STYLES

_ONE_RUN = re.compile(r"^saga run \S+ --style \S+ ")


def command_of(rows: Sequence[RunRow]) -> str:
    """What makes exactly these runs again: one command for all that differ in scenario and style alone."""
    alike: dict[str, list[RunRow]] = {}
    for row in rows:
        replay = _ONE_RUN.sub("", str(row.about["replay"]))
        alike.setdefault(replay, []).append(row)
    return "; ".join(_again(same, options) for options, same in alike.items())


def _again(rows: list[RunRow], options: str) -> str:
    names = " ".join(dict.fromkeys(row.scenario for row in rows))
    styles = {row.style for row in rows}
    style = "" if styles == set(STYLES) else f" --style {','.join(sorted(styles))}"
    return f"saga run {names}{style} {options}"
