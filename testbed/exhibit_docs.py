"""docs/exhibits.md: what is claimed of each published system and what was found, from the data of the last `saga exhibit run all --write`."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.exhibits.exhibit import DESCRIBED
from report.exhibit_tables import claims, overview, systems
from report.text_table import Row, TextTable, markdown
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA

DOCS = Path(__file__).parents[1] / "docs"
DATA = DOCS / "data" / "exhibits.json"

_INTRO = """\
# Published sagas, as described and as they should be

The project grew from five published descriptions of sagas. Each is an *exhibit*: a saga folder in two editions, **as described**, hazards
included, and **corrected**, over the same participants, run by the same testbed and judged by the same judge. Each is at
[exhibits/](../exhibits), with a README that explains it: `saga exhibit explain NAME`.

A *claim* is one sentence about the edition as described. It holds if everything that is to prove it is seen there, and if the corrected
edition does not show it **and** is consistent in the same run. `saga exhibit run NAME` puts the claims of an exhibit to the test, prints the
witness rows, and makes a page with the editions side by side; with `--broker auto` the runs are on the real pair, and each decisive
order has a replay. Data: [data/exhibits.json](data/exhibits.json), {date}, `{command}`, under virtual time.

{overview}
*Found first by* is the cheapest way to find a defect: **check** reads the files (`saga check`), **run** needs a scenario, **sweep** tries a fault that
no scenario has, **measurement** counts many orders.

## Every claim

{systems}
"""
_TRADE_OFF = """\
## The trade-offs of the article, with figures

The article behind [order-pay-first](../exhibits/order_pay_first) compares the two styles on seven axes, in words. Here each has a figure, or none.

{table}
"""
_SIXTH = """\
## A sixth exhibit

One folder, nothing to register: `exhibits/NAME/` with `README.md`, `exhibit.py` (`EXHIBIT`: its claims), `described/saga.py`,
`corrected/saga.py` and `scenarios/index.py`. What both editions share, one of them imports from the other or both from a built-in saga; only
what differs is written down. An edition is then a saga for every command: `--saga NAME.described`. The recipe is in
[CONTRIBUTING.md](../CONTRIBUTING.md).

## Not done

- Three further styles that the published systems would need as arms of their own: fire and forget (no saga), two-phase commit, and
  the hybrid of an orchestrated saga with events around it.
- Standard and Express editions of one machine.
- A confirmation mail that cannot be unsent, and a step that answers minutes later by task token.
- REST-like adapters: a status code is an answer's name here.
"""


def exhibits_page() -> str:
    """The page."""
    found = json.loads(DATA.read_text(encoding="utf-8"))
    parts = [
        _INTRO.format(
            date=found["date"],
            command=found["command"],
            overview=markdown(*overview(found)),
            systems=markdown(*systems(found)),
        ),
        *(_section(exhibit) for exhibit in found["exhibits"]),
        _TRADE_OFF.format(table=markdown(*_trade_off(found))),
        _SIXTH,
    ]
    return "\n".join(parts)


def _section(exhibit: Mapping[str, Any]) -> str:
    folder = exhibit["exhibit"].replace("-", "_")
    figures = [line for claim in exhibit["claims"] for line in _figures(claim)]
    listed = "".join(f"- {line}\n" for line in figures)
    twins = [c for c in exhibit["claims"] if c["twin"]]
    reasons = "".join(f"- `{claim['claim']}`: {claim['twin']}\n" for claim in twins)
    return (
        f"## {exhibit['exhibit']}: {exhibit['title']}\n\n"
        f"{(2 * chr(10)).join(exhibit['story'])} ([README](../exhibits/{folder}/README.md); source: {exhibit['source']})\n\n"
        f"**The correction.** {exhibit['correction']}\n\n"
        f"{markdown(*claims(exhibit))}"
        + (f"\nFigures:\n\n{listed}" if listed else "")
        + (f"\nNot in the other style:\n\n{reasons}" if reasons else "")
    )


def _figures(claim: Mapping[str, Any]) -> Iterable[str]:
    """What was counted of the edition as described, line by line."""
    if claim["found_by"] != "measurement":
        return
    for shown in claim["editions"].get(DESCRIBED, ()):
        yield from shown.get("witnesses", [f"{shown['style']}: {shown['found']}"])


def _trade_off(found: Mapping[str, Any]) -> TextTable:
    """The axes of the article, with what was counted here for each style."""
    changes = json.loads((DOCS / "data" / "changes.json").read_text(encoding="utf-8"))["changes"]
    swapped = [one for one in changes if one["change"] == "swap_steps"]
    counted = "over five changes: [changes.md](changes.md)"
    measured = "[performance.md](performance.md)"
    axes: list[tuple[str, Callable[[str], object], str]] = [
        ("control flow", lambda style: _sum(swapped, style, "services"), "services that change when two steps swap: [changes.md](changes.md)"),
        ("coupling", lambda style: _sum(changes, style, "services"), f"services that change, {counted}"),
        ("complexity", _size, "reactions, or states, of the order saga"),
        ("failure handling", lambda style: _defects(found, style), "defects of this page that runs have shown in this style; four of the five publications describe a conductor"),
        ("scalability", lambda style: "about 300", f"customers a second that were held on two cores; beyond that only the choreography keeps its pace: {measured}"),
        ("development", lambda style: _sum(changes, style, "lines_added"), f"lines written, {counted}"),
        ("overhead", lambda style: _OVERHEAD_MS[STYLES[style].conducted], f"ms, median of a saga without service times; with slow payments the difference is a hundredth or two: {measured}"),
    ]  # fmt: skip
    lines: list[Row] = [
        (axis, *(str(figure(style)) for style in STYLES), what) for axis, figure, what in axes
    ]
    return ("axis", *STYLES, "what is counted"), lines


_OVERHEAD_MS = {False: "about 5.9", True: "about 7.6"}
"""Whether somebody conducts -> the median of docs/performance.md."""


def _sum(changes: Iterable[Mapping[str, Any]], style: str, what: str) -> int:
    return sum(change["styles"][style][what] for change in changes)


def _size(style: str) -> int:
    if not STYLES[style].conducted:
        return len(SAGA.reacting(SAGA.variant))
    return len(json.loads(SAGA.state_machines[SAGA.variant].read_text(encoding="utf-8"))["States"])


def _defects(found: Mapping[str, Any], style: str) -> int:
    """How many claims about a described edition were shown in a style."""
    claims_made = [claim for exhibit in found["exhibits"] for claim in exhibit["claims"]]
    return sum(
        any(one.get("style") == style for one in claim["editions"].get(DESCRIBED, ()))
        for claim in claims_made
        if claim["about"] == DESCRIBED and claim["holds"]
    )
