"""Documents made from the code, so that they cannot go stale: `python -m testbed.docs`, checked by a test."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kernel.environment import Environment
from kernel.guards import OFF
from orchestration.saga_definition import saga_definition
from report.columns import ORDER_COLUMNS, RUN_COLUMNS
from scenarios.campaigns.simulation import schedule
from scenarios.catalog.index import scenarios_of
from scenarios.faults import plan as fault_plan
from scenarios.faults.json_schema import schema
from scenarios.judge import verdict
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA
from shared_domain.trip.saga import SAGA as TRIP
from testbed.changes_docs import changes_page
from testbed.decide_docs import decide_page
from testbed.engine_docs import engine_page
from testbed.exhibit_docs import exhibits_page
from testbed.labs.docs import labs_page, sheet_pages
from testbed.oracle_docs import oracle
from testbed.performance_charts import write_charts
from testbed.play_docs import play_page
from testbed.rooms import rooms

ROOT = Path(__file__).parents[1]

_HEAD = "<!-- Made by `make docs` from the code. Do not edit. -->\n\n"


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "side_by_side.md": lambda: _HEAD + _side_by_side(),
    "reference/scenarios.md": lambda: _HEAD + _scenarios(),
    "reference/faults.md": lambda: _HEAD + _faults(),
    "reference/guards.md": lambda: _HEAD + _guards(),
    "reference/verdicts.md": lambda: _HEAD + _verdicts(),
    "reference/columns.md": lambda: _HEAD + _columns(),
    "reference/engine.md": lambda: _HEAD + engine_page(),
    "reference/fault_plan.schema.json": lambda: _schema(*fault_plan.SCHEMA_FILE),
    "reference/schedule.schema.json": lambda: _schema(*schedule.SCHEMA_FILE),
    "oracle.md": lambda: _HEAD + oracle(),
    "changes.md": lambda: _HEAD + changes_page(),
    "exhibits.md": lambda: _HEAD + exhibits_page(),
    "decide.md": lambda: _HEAD + decide_page(),
    "play.md": lambda: _HEAD + play_page(),
    "rooms.md": lambda: _HEAD + rooms(ROOT),
    "labs/index.md": lambda: _HEAD + labs_page(),
    **{name: lambda made=made: _HEAD + made() for name, made in sheet_pages().items()},  # type: ignore[misc]
}
"""Path below docs/ -> what makes its text, of every generated document."""


def _schema(package: str, name: str) -> str:
    return json.dumps(schema(package, name), indent=2) + "\n"


def _side_by_side() -> str:
    states = saga_definition(Environment(saga=SAGA, variant=SAGA.variant))["States"]
    text = (
        "# Each step in both styles\n\n"
        "On the left what `shared_domain/order/reactions.py` says, on the right the state of the same name in\n"
        "`shared_domain/order/order_saga.asl.json`. Every task there has the same Retry and TimeoutSeconds; the\n"
        "choreography's are in `choreography/consumer.py`. Both come from `kernel/policy.py`.\n\n"
        "| command | choreography: when this is heard | orchestration: the state, and where it goes |\n"
        "|---|---|---|\n"
    )
    reactions = SAGA.reacting(SAGA.variant)
    for command, what in _rows():
        mine = [r for r in reactions if r.command.__name__ == command]
        heard = [kind.__name__ for r in mine for kind in r.hears()]
        service = mine[0].service
        left = f"**{service}** hears {', '.join(f'`{name}`' for name in heard)}"
        gave_up = SAGA.gave_up.get(command)
        left += (
            f"; gives up with `{gave_up.__name__}`" if gave_up else "; budget spent: dead letter"
        )
        text += f"| `{command}`, {what} | {left} | {_state(states, command)} |\n"
    return text


def _rows() -> Iterable[tuple[str, str]]:
    """Every operation, and what it is."""
    for number, step in enumerate(SAGA.steps, 1):
        yield step.name, f"step {number}{', the pivot' if step.pivot else ''}"
    for undo, step_name in SAGA.undoes.items():
        yield undo, f"compensation of step {SAGA.forward.index(step_name) + 1}"


def _state(states: dict[str, Any], name: str) -> str:
    state = states[name]
    following = states[state["Next"]]
    if following["Type"] == "Choice":
        ways = [f"`{rule['StringEquals']}` to **{rule['Next']}**" for rule in following["Choices"]]
        way = (
            f"Choice on the answer: {', '.join(ways)}, anything else to **{following['Default']}**"
        )
    else:
        way = f"then **{state['Next']}**"
    return f"Task `{name}`; {way}; {_caught(state)}"


def _caught(state: dict[str, Any]) -> str:
    if "Catch" not in state:
        return "no Catch: the execution fails here, and can be redriven"
    return f"Catch to **{state['Catch'][0]['Next']}**"


def _scenarios() -> str:
    text = "# Scenarios\n\nRun one with `saga run NAME`, for another saga than the first with `--saga`. Faults are for 100 orders.\n"
    for saga in (SAGA, TRIP):
        text += f"\n# The {saga.name} saga\n"
        for name, scenario in scenarios_of(saga).items():
            faults = scenario.faults(100).to_json()["faults"]
            text += f"\n## {name}\n\n{scenario.description}\n"
            if faults:
                lines = "\n".join(json.dumps(fault) for fault in faults)
                text += f"\n```json\n{lines}\n```\n"
    return text


def _faults() -> str:
    text = (
        "# Fault plans\n\n"
        "A plan is a JSON file for `saga run --plan FILE`; its faults are added to the scenario's own. Its schema:\n"
        "[fault_plan.schema.json](fault_plan.schema.json). `saga run any_ending --plan FILE` brings no fault of its own.\n\n"
        "```json\n"
        '{"schema": 1, "faults": [\n'
        f'  {{"orders": {{"every": 4}}, "operation": "{SAGA.forward[2]}", "moment": "answer.lost", "attempts": [1]}}\n'
        "]}\n```\n\n"
        '`orders`: `"all"`, a list of indices from 0, `{"every": k}` (the k-th, 2k-th, ...), or `{"share": p}`\n'
        '(chance by hash of seed and address, the same orders in every style). `attempts`: a list from 1, `"all"`, or\n'
        '`{"share": p}`. `for_s`: unscaled seconds, for the moments that take time (default below, else 1). `operation`: a\n'
        "command.\n\n"
        "Each injection is recorded in `faults.jsonl`: *reached* (the moment came), *struck* (it was done),\n"
        "*changed* (the saga's rows or attempts differ from those of a saga without faults). A run in which a line of its plan never\n"
        "struck is UNKNOWN, unless the style has no counterpart for it: then the run says so.\n\n"
        "| moment | what happens | for_s | no counterpart in |\n|---|---|---|---|\n"
    )
    for moment, what in fault_plan.MEANING.items():
        seconds = fault_plan.DEFAULT_S.get(moment)
        without = [
            f"{name}: {style.moments_without[moment]}"
            for name, style in STYLES.items()
            if moment in style.moments_without
        ]
        text += f"| `{moment}` | {what} | {'' if seconds is None else f'{seconds:g}'} | {'; '.join(without)} |\n"
    return text


def _guards() -> str:
    text = (
        "# Guards\n\nSafeguards that a run can switch off, to show what each is for: `saga run ... --guards=-inbox`.\n\n"
        "| guard | off means | no counterpart in |\n|---|---|---|\n"
    )
    for guard, off in OFF.items():
        without = [name for name, style in STYLES.items() if guard in style.guards_without]
        text += f"| `{guard}` | {off} | {', '.join(without)} |\n"
    return text


def _verdicts() -> str:
    text = (
        "# Verdicts\n\nThe class of an order, first match wins:\n\n| class | meaning |\n|---|---|\n"
    )
    text += "".join(f"| {name} | {what} |\n" for name, what in verdict.MEANING.items())
    return text + (
        "\nand the flag **lied**: a status shown to the customer contradicts the ledgers.\n\n"
        "A run is INCONSISTENT with any duplicated, half-done or stuck (in the open too) order, any lie or any broken law;\n"
        "UNKNOWN when a part of the testbed failed, a planned fault never struck, or the run was *saturated*; else CONSISTENT.\n\n"
        "A run is **saturated** if its last customers waited a quarter of the saga deadline longer than its quickest one, or as long\n"
        "to be accepted, counted over those whom no fault struck and where nothing disturbed the coordinator: then deadlines passed by queueing alone, and say nothing\n"
        "about a style. Where something else was unexpected too, the length of one step deadline is enough. A saga that only queued was\n"
        "not dropped. What is wrong in a ledger for another reason stays INCONSISTENT. ([decision 0022](../decisions/0022-a-saturated-run-says-nothing.md))\n\n"
        "| exit code | meaning |\n|---|---|\n"
        + "".join(
            f"| {code.value} | {code.name.lower().replace('_', ' ')} |\n" for code in verdict.Exit
        )
    )


def _columns() -> str:
    text = (
        "# Columns\n\n`saga report DIR --format csv` writes one line per run into `runs.csv` and one line per order into `orders.csv`,\n"
        "beside a table for each section of the page. Numbers are numbers, with the unit last in the column's name; an empty cell means\n"
        "that there is no such number. In the sections' tables a share has four columns: k, n, and the bounds of its exact 95 % interval.\n"
        "`saga report --format json` and `saga run --json` have the same names.\n"
    )
    for name, columns in (("runs.csv", RUN_COLUMNS), ("orders.csv", ORDER_COLUMNS)):
        text += f"\n## {name}\n\n| column | meaning |\n|---|---|\n"
        text += "".join(f"| `{column.name}` | {column.meaning} |\n" for column in columns)
    return text


def main() -> int:
    """Write every document; 0."""
    for name, made in DOCUMENTS.items():
        path = Path("docs") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made(), encoding="utf-8")
    write_charts()
    return 0


if __name__ == "__main__":
    sys.exit(main())
