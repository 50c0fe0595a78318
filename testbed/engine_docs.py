"""docs/reference/engine.md: what the embedded Step Functions engine runs, its limits, and where it differs from AWS."""

from collections.abc import Iterable

from orchestration.engine import checks, field_checks, integrations, intrinsics, limits, tasks
from orchestration.engine.actions import ACTIONS
from orchestration.engine.choice import OPERATORS
from orchestration.engine.jsonata_functions import ADDED


def engine_page() -> str:
    """The whole page."""

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
