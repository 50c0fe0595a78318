"""Documents made from the code, so that they cannot go stale: `python -m testbed.docs`, checked by a test."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kernel.environment import Environment
from kernel.guards import OFF
from orchestration.engine import checks, field_checks, integrations, intrinsics, limits, tasks
from orchestration.engine.actions import ACTIONS
from orchestration.engine.choice import OPERATORS
from orchestration.engine.jsonata_functions import ADDED
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
from testbed.changes_docs import changes
from testbed.oracle_docs import oracle
from testbed.rooms import rooms

ROOT = Path(__file__).parents[1]

_HEAD = "<!-- Made by `make docs` from the code. Do not edit. -->\n\n"


def documents() -> dict[str, str]:
    """Path below docs/ -> text, of every generated document."""
    return {
        "side_by_side.md": _HEAD + _side_by_side(),
        "reference/scenarios.md": _HEAD + _scenarios(),
        "reference/faults.md": _HEAD + _faults(),
        "reference/guards.md": _HEAD + _guards(),
        "reference/verdicts.md": _HEAD + _verdicts(),
        "reference/columns.md": _HEAD + _columns(),
        "reference/engine.md": _HEAD + _engine(),
        "reference/fault_plan.schema.json": json.dumps(schema(*fault_plan.SCHEMA_FILE), indent=2)
        + "\n",
        "reference/schedule.schema.json": json.dumps(schema(*schedule.SCHEMA_FILE), indent=2)
        + "\n",
        "oracle.md": _HEAD + oracle(),
        "changes.md": _HEAD + changes(),
        "rooms.md": _HEAD + rooms(ROOT),
    }


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
        "A run is **saturated** if its last customers waited a quarter of the saga deadline longer than its quickest one, counted over\n"
        "those whom no fault struck and where nothing disturbed the coordinator: then deadlines passed by queueing alone, and say nothing\n"
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


def _service_calls() -> str:
    rows = [
        f"| {name}:{action}{' (also .waitForTaskToken)' if service.callback else ''} | --{name}-endpoint | {', '.join(sorted(parameters))} | {service.errors}.* |\n"
        for name, service in integrations.SERVICES.items()
        for action, parameters in service.actions.items()
    ]
    return (
        "Calls of other services go over the services' own wire format (boto3) to an endpoint of your choice: moto's, or AWS's with the\n"
        "keys that boto3 finds. One attempt a call, retries are the machine's. Parameters that are not in this table are dropped, as AWS does. JSON in\n"
        "Message, MessageBody and Detail is sent as its text; an event's Resources get the machine and the execution. Errors have the names of the\n"
        "AWS SDK for Java; SdkClientException: there was no answer.\n\n"
        "| resource | option of `saga engine` | parameters | errors |\n|---|---|---|---|\n"
        + "".join(rows)
        + "\n"
    )


def _engine() -> str:
    def listed(names: Iterable[str]) -> str:
        return ", ".join(sorted(names))

    text = (
        "# The embedded Step Functions engine\n\n"
        "What it runs. Anything else is refused at creation, with the place of every fault, as AWS words it where that is\n"
        "known.\n\n"
        "| what | fields |\n|---|---|\n"
        f"| the machine | {listed(checks.MACHINE)} |\n"
        f"| a branch, an ItemProcessor | {listed(checks.PROCESSOR)} (Mode INLINE) |\n"
    )
    for state, known in checks.FIELDS.items():
        text += f"| {state} | {listed(known)} |\n"
    text += (
        f"| a retrier | {listed(field_checks.RETRY)} |\n"
        f"| a catcher | {listed(field_checks.CATCH)} |\n"
        "| a Choice rule | Variable and one operator, or And, Or, Not; or Condition; Next, Assign, Output, Comment |\n"
    )
    functions = ", ".join(f"`${name}`" for name in sorted([*ADDED, "random", "uuid"]))
    return text + (
        "\nQuery languages: JSONPath and JSONata, by machine or by state; variables with Assign in both.\n\n"
        f"Choice operators: And, Or, Not, {listed(OPERATORS)}.\n\n"
        f"Intrinsic functions: {listed(intrinsics.FUNCTIONS | intrinsics.DRAWN)}.\n\n"
        f"JSONata: version 2.0, with AWS's {functions}, without `$eval`; `$states.input`, `.result`, `.errorOutput`,\n"
        "`.context`. An expression sees nothing else but variables.\n\n"
        "Context object: Execution (Id, Input, Name, RoleArn, StartTime, RedriveCount, RedriveTime), StateMachine (Id, Name),\n"
        "State (Name, EnteredTime, RetryCount), Task (Token), Map (Item: Index, Value).\n\n"
        f"Task resources: {tasks.SUPPORTED}. Fields of lambda:invoke: {', '.join(tasks.INVOKE_FIELDS)}; InvocationType\n"
        f"{' or '.join(tasks.INVOCATION_TYPES)} (an Event is handed over, answered with 202 and not waited for).\n\n"
        f"{_service_calls()}"
        "Paths: Jayway's dialect: Unicode names, quotes escaped inside brackets, a dot before a bracket, unquoted literals in filters,\n"
        "`[(@.length-1)]`. Refused at creation: negative indices, functions of a path.\n\n"
        f"Actions: {', '.join(ACTIONS)}.\n\n"
        "Types: STANDARD (durable, unique names, histories) and EXPRESS (in memory, no histories; synchronous start).\n\n"
        "## Limits\n\n"
        "| limit | value | what happens |\n|---|---|---|\n"
        f"| events of a history | {limits.MAX_EVENTS:,} | the last one is ExecutionFailed, States.Runtime |\n"
        f"| input, output, result, parameters | {limits.MAX_PAYLOAD_BYTES:,} bytes | ValidationException; States.DataLimitExceeded |\n"
        f"| definition | {limits.MAX_DEFINITION_BYTES:,} bytes | InvalidDefinition |\n"
        f"| names | {limits.MAX_NAME} characters | InvalidName; INVALID_STATE_NAME |\n"
        f"| iterations of an inline Map at once | {limits.MOST_AT_ONCE} | the others wait |\n"
        f"| seconds and counts in a definition | {limits.MAX_NUMBER:,} | InvalidDefinition |\n"
        f"| an Express execution | {limits.MAX_EXPRESS_S} s | TIMED_OUT |\n"
        f"| redrive | {limits.REDRIVABLE_S / 86_400:.0f} days after the end | ExecutionNotRedrivable |\n"
        f"| an error, a cause | {limits.MAX_ERROR}, {limits.MAX_CAUSE:,} characters | cut in answers and history; ValidationException in requests |\n"
        f"| a variable's name | {limits.MAX_VARIABLE_NAME} characters, a Unicode identifier, not `states` | InvalidDefinition |\n"
        f"| variables of one Assign | {limits.MAX_ASSIGNED_BYTES:,} bytes | States.DataLimitExceeded |\n"
        f"| functions inside of each other | {limits.MAX_NESTED_CALLS} | InvalidDefinition |\n"
        f"| a regular expression | {1000 * limits.MAX_REGEX_S:.0f} ms | States.Runtime; States.QueryEvaluationError |\n"
        f"| a JSONata expression | {limits.MAX_JSONATA_MS:,} ms; ranges of {limits.MAX_JSONATA_RANGE:,} items; `$pad` to {limits.MAX_PAYLOAD_BYTES:,} characters | States.QueryEvaluationError |\n\n"
        "## Deliberate differences from AWS\n\n"
        f"{_DIFFERENCES}"
    )


_DIFFERENCES = """\
- Seconds are multiplied by `--time-scale` (default 1). Functions are as slow as they are: at 0.01 a TimeoutSeconds of 15
  leaves 0.15 s.
- A task whose answer was lost when the engine was killed is dispatched again without a new event, and with its
  full TimeoutSeconds; waits keep their deadline, retries their count, task tokens stay valid.
- GetActivityTask is held for 55 s, not 60: boto3's default read timeout is 60 s.
- It serves hosts of this machine only (localhost, 127.0.0.1, ::1, *.localhost, each also with `sync-` before it); others get 403, so that
  no page in a browser can use it. SDKs send StartSyncExecution to `sync-HOST`, which does not resolve: set
  `AWS_DISABLE_HOST_PREFIX_INJECTION=true` for the AWS CLI and boto3, `disableHostPrefix: true` in JavaScript
  ([clients](../aws_clients.md)), or use `http://localhost:PORT` with `127.0.0.1 sync-localhost` in /etc/hosts.
- Timestamps have microseconds; AWS's have milliseconds.
- While its disk is full, requests that write are answered with ServiceUnavailable (503); executions in flight wait, and resume
  within a second once there is room.
- One engine has a folder: a second one ends with one line and exit code 2. It answers requests before it resumes what had
  not ended; an answer to a task waits until its execution has been resumed.
- An execution that the engine was working on when it died, twice in a row and at the same place, is set aside: it is FAILED with
  States.Runtime and a cause that says so, and RedriveExecution resumes it.
- Distributed Map, versions (`publish` is refused), aliases, `includedData: METADATA_ONLY`, TestState, Credentials and any service integration that is not named above are not there.
  ListStateMachineVersions and ListStateMachineAliases give empty lists.
  Logging, tracing and encryption settings are taken and have no effect; roles are not looked at.
- A redrive adds ExecutionRedriven and runs every state again that was entered and not left; it adds no new
  ...StateEntered or ...StateStarted for them, and `previousEventId` of what follows is the ExecutionRedriven.
- `--express-twice SHARE` starts two executions for that share of StartExecution calls on Express machines, which
  AWS's at-least-once start allows; the default is none.
- Requests are checked with the service model that boto3 brings; the wording of ValidationException is botocore's.
- Branches of a Parallel, and iterations of a Map that run at the same time, record their events in another order
  than AWS may; each branch by itself is the same.
- An intrinsic function that fails is States.IntrinsicFailure, as AWS documents it; its cause is worded here, for no
  recording of one is known. So is the wording of faults in a definition that are not among those AWS is known to tell.
- Chance follows from the history: `$random()`, `$uuid()`, States.UUID and States.MathRandom come out alike when a crash makes
  the engine draw again; `$now()` and `$millis()` tell the time of the last event. A JSONata expression may take a second.
- `$random(seed)` and States.MathRandom with a seed are repeatable, and give other numbers than AWS.
- A division by zero in JSONata fails; AWS gives "Infinity" inside objects and arrays.
"""


def main() -> int:
    """Write every document; 0."""
    for name, text in documents().items():
        path = Path("docs") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
