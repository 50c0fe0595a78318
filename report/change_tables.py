"""What changes cost, as tables: both styles side by side. They are made from bench/changes/document.py's data alone."""

from collections.abc import Mapping
from typing import Any

from report.text_table import Row, TextTable

THEN = " > "
"""Between two parts that are deployed one after the other."""


def comparison(document: Mapping[str, Any]) -> TextTable:
    """Change x style."""
    columns = ("change", "style", "services", "redeployed, in order", "files", "lines", "old and new at once")  # fmt: skip
    lines: list[Row] = []
    for change in document["changes"]:
        name = change["change"]
        for style, cost in change["styles"].items():
            lines.append((
                name,
                style,
                cost["services"],
                THEN.join(cost["redeploy"]),
                cost["files"],
                f"+{cost['lines_added']} -{cost['lines_removed']}",
                f"{cost['at_once']}: {cost['why']}" if cost["why"] != cost["at_once"] else cost["why"],
            ))  # fmt: skip
            name = ""
    return columns, lines


def summary(document: Mapping[str, Any]) -> str:
    """What the changes of the flow itself come to in each style, in a line each. A listener is none of them: nobody waits for it."""
    flow = [one["styles"] for one in document["changes"] if one["change"] != "add_listener"]
    lines = []
    for style in flow[0] if flow else ():
        bad = sum(one[style]["at_once"] == "unsafe" for one in flow)
        parts = sum(len(one[style]["redeploy"]) for one in flow)
        verb = "damages" if bad == 1 else "damage"
        lines.append(f"- {style}: {bad} of {len(flow)} {verb} orders; {parts} deployments")
    return "\n".join(
        ["Of the changes of the flow itself, in whatever order the parts are replaced:", "", *lines]
    )


def owners(change: Mapping[str, Any]) -> TextTable:
    """Whose the lines of one change are."""
    lines: list[Row] = [
        (style, owner, one["files"], one["added"], one["removed"])
        for style, cost in change["styles"].items()
        for owner, one in cost["owners"].items()
    ]
    return ("style", "whose", "files", "lines added", "lines removed"), lines


def rollouts(change: Mapping[str, Any]) -> TextTable:
    """Every order of deployment of one change that was tried."""
    lines: list[Row] = [
        (style, THEN.join(one["parts"]), "yes" if one["clean"] else "no", one["says"])
        for style, cost in change["styles"].items()
        for one in cost["tried"]
    ]
    return ("style", "deployed in this order", "clean", "old and new at once"), lines
