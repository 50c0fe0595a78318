"""Actions on executions. Source: AWS Step Functions API reference, one section per action."""

import uuid
from typing import Any

from orchestration.engine import pages, requests
from orchestration.engine.errors import ApiError
from orchestration.engine.history import Event
from orchestration.engine.limits import MAX_EVENTS, REDRIVABLE_S
from orchestration.engine.requests import Parameters
from orchestration.engine.service import StepFunctionsEngine, arn_of

_LISTED = (
    "executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "redriveCount", "redriveDate",
)  # fmt: skip
_DATA = ("input", "output", "parameters", "assignedVariables", "cause")


async def start_execution(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Start an execution. Standard: its name is taken for good, and the same request again changes nothing."""
    machine = await _machine(engine, parameters)
    row = _new_execution(engine, machine, parameters)
    if machine["type"] == "EXPRESS":
        engine.launch_express(row, machine)
        return {"executionArn": row["arn"], "startDate": row["start_s"]}
    kept, new = await engine.history.add_execution(row)
    if new:
        engine.launch(kept, machine)
    elif kept["status"] != "RUNNING" or kept["input"] != row["input"]:
        raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{row['arn']}'")
    return {"executionArn": kept["arn"], "startDate": kept["start_s"]}


async def start_sync_execution(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Run an Express execution and answer with how it ended."""
    machine = await _machine(engine, parameters)
    if machine["type"] != "EXPRESS":
        told = "This operation is not supported by this type of state machine"
        raise ApiError("StateMachineTypeNotSupported", told)
    row = _new_execution(engine, machine, parameters)
    ending = await engine.launch_express(row, machine, sync=True)
    stop_s = engine.clock.wall_s()
    ended = {
        "status": ending.status, "output": ending.output, "error": ending.error, "cause": ending.cause,
        "stop_s": stop_s,
    }  # fmt: skip
    spent_ms = 100 * (1 + int((stop_s - row["start_s"]) * 10))
    bill = {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": spent_ms}
    return _answer(row | ended) | {"billingDetails": bill}


def _new_execution(
    engine: StepFunctionsEngine, machine: dict[str, Any], parameters: Parameters
) -> dict[str, Any]:
    text = requests.execution_input(parameters)
    name = requests.name(parameters) if "name" in parameters else str(uuid.uuid4())
    names = [machine["name"], name]
    kind = "execution"
    if machine["type"] == "EXPRESS":
        kind, names = "express", [*names, str(uuid.uuid4())]
    return {
        "id": None,
        "arn": arn_of(kind, *names),
        "machine": machine["arn"],
        "name": name,
        "definition": machine["definition"],
        "role": machine["role"],
        "input": text,
        "status": "RUNNING",
        "start_s": engine.clock.wall_s(),
        "redrives": 0,
        "redriven_s": None,
    }


async def describe_execution(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """An execution: status, input and, if it has ended, how."""
    row = await _execution(engine, parameters)
    reason = await _not_redrivable(engine, row)
    told = {"redriveCount": row["redrives"], "redriveStatus": "REDRIVABLE"}
    if reason:
        told |= {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    return _answer(row) | told


async def list_executions(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A page of a machine's executions, the newest first."""
    if "stateMachineArn" not in parameters:
        raise ApiError(
            "ValidationException", "'stateMachineArn' is needed: there are no map runs here"
        )
    machine = await _machine(engine, parameters)
    if machine["type"] == "EXPRESS":
        raise ApiError(
            "StateMachineTypeNotSupported",
            "This operation is not supported by this type of state machine",
        )
    rows = await engine.history.executions(
        machine["arn"],
        before=pages.after(parameters),
        limit=pages.limit(parameters),
        status=parameters.get("statusFilter"),
        redriven={"REDRIVEN": True, "NOT_REDRIVEN": False}.get(parameters.get("redriveFilter", "")),
    )
    shown, token = pages.cut(rows, parameters, lambda row: row["id"])
    listed = [
        {key: value for key, value in (_answer(row) | {"redriveCount": row["redrives"]}).items() if key in _LISTED}
        for row in shown
    ]  # fmt: skip
    return {"executions": listed} | token


async def stop_execution(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Abort an execution; one that has ended is left alone."""
    row = await _execution(engine, parameters)
    if row["status"] == "RUNNING":
        await engine.stop(row, error=parameters.get("error"), cause=parameters.get("cause"))
    return {"stopDate": (await _execution(engine, parameters))["stop_s"]}


async def redrive_execution(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Let an execution that did not succeed go on at the states it had not left."""
    row = await _execution(engine, parameters)
    token = parameters.get("clientToken")
    if token is not None and token == row["redrive_token"]:
        return {"redriveDate": row["redriven_s"]}
    if reason := await _not_redrivable(engine, row):
        raise ApiError("ExecutionNotRedrivable", reason)
    return {"redriveDate": await engine.redrive(row, token=token)}


async def _not_redrivable(engine: StepFunctionsEngine, row: dict[str, Any]) -> str:
    """Why an execution cannot be redriven, "" if it can."""
    if row["status"] in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {row['status']} and cannot be redriven"
    if engine.clock.wall_s() - row["stop_s"] > REDRIVABLE_S:
        return "Execution redrivable period exceeded"
    if await engine.history.last_event_id(row["id"]) >= MAX_EVENTS - 1:
        return "Execution history event limit exceeded"
    return ""


async def get_execution_history(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A page of an execution's events."""
    row = await _execution(engine, parameters)
    found = await engine.history.events(
        row["id"],
        after=pages.after(parameters),
        limit=pages.limit(parameters),
        newest_first=parameters.get("reverseOrder", False),
    )
    with_data = parameters.get("includeExecutionData", True)
    shown, token = pages.cut(found, parameters, lambda event: event.id)
    return {"events": [_event(event, with_data=with_data) for event in shown]} | token


def _event(event: Event, *, with_data: bool) -> Parameters:
    details = event.details
    if not with_data:
        details = {
            name: {key: value for key, value in inner.items() if key not in _DATA}
            for name, inner in details.items()
        }
    return {
        "timestamp": event.at_s,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
        **details,
    }


async def _machine(engine: StepFunctionsEngine, parameters: Parameters) -> dict[str, Any]:
    return await requests.existing(engine, "stateMachine", parameters["stateMachineArn"])


async def _execution(engine: StepFunctionsEngine, parameters: Parameters) -> dict[str, Any]:
    arn = parameters["executionArn"]
    return engine.row(arn) or await requests.existing(engine, "execution", arn)


def _answer(row: dict[str, Any]) -> Parameters:
    found = {
        "executionArn": row["arn"],
        "stateMachineArn": row["machine"],
        "name": row["name"],
        "status": row["status"],
        "startDate": row["start_s"],
        "stopDate": row.get("stop_s"),
        "input": row["input"],
        "inputDetails": {"included": True},
        "output": row.get("output"),
        "outputDetails": None if row.get("output") is None else {"included": True},
        "error": row.get("error"),
        "cause": row.get("cause"),
        "redriveDate": row["redriven_s"],
    }
    return {key: value for key, value in found.items() if value is not None}


ACTIONS = {
    "StartExecution": start_execution,
    "StartSyncExecution": start_sync_execution,
    "DescribeExecution": describe_execution,
    "ListExecutions": list_executions,
    "StopExecution": stop_execution,
    "RedriveExecution": redrive_execution,
    "GetExecutionHistory": get_execution_history,
}
"""Name of an action -> what carries it out."""
