"""Costs as data: what `saga change --json` prints, docs/data/changes.json keeps and tables are made from."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from bench.changes.cost import SEEDS, Cost, Tried
from bench.changes.folders import Change
from bench.changes.rollout import ORDERS

SCHEMA = 1


def document(measured: Iterable[tuple[Change, Sequence[Cost]]]) -> dict[str, Any]:
    """All of it as JSON: a list of changes, each with its costs by style."""
    return {
        "schema": SCHEMA,
        "orders": ORDERS,
        "seeds": list(SEEDS),
        "changes": [_change(change, costs) for change, costs in measured],
    }


def _change(change: Change, costs: Sequence[Cost]) -> dict[str, Any]:
    return {
        "change": change.name,
        "words": change.words,
        "shows": change.shows,
        "described": asdict(costs[0].described),
        "styles": {cost.style: _cost(cost) for cost in costs},
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "services": len(cost.services),
        "services_touched": list(cost.services),
        "files": len(cost.files),
        "files_touched": list(cost.files),
        "lines_added": cost.lines_added,
        "lines_removed": cost.lines_removed,
        "owners": {name: asdict(one) for name, one in cost.owners.items()},
        "redeploy": list(cost.redeploy),
        "at_once": str(cost.at_once),
        "why": cost.why(),
        "tried": [_tried(one) for one in cost.tried],
    }


def _tried(one: Tried) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "parts": list(one.parts),
        "clean": verdict.clean,
        "says": verdict.words(),
        "orders": verdict.orders,
        "ended": dict(verdict.ended),
        "wrong": dict(verdict.wrong),
        "failed": verdict.failed,
        "died": list(verdict.died),
        "why": verdict.why,
    }
