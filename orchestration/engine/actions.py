"""AWS's API actions without the wire. Source: AWS Step Functions API reference, one section per action."""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from orchestration.engine.definition import diagnose
from orchestration.engine.errors import ApiError
from orchestration.engine.history import Event
from orchestration.engine.service import StepFunctionsEngine, arn_of, existing, name_of
from orchestration.engine.text import MAX_PAYLOAD_BYTES

Parameters = dict[str, Any]
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
POLL_S = 55.0
"""How long GetActivityTask waits for a task; AWS takes 60, which is when boto3's default gives up."""
_MACHINE = {"code": "StateMachineDoesNotExist", "told": "State Machine"}
_EXECUTION = {"code": "ExecutionDoesNotExist", "told": "Execution"}
_ACTIVITY = {"code": "ActivityDoesNotExist", "told": "Activity"}


class Actions:
    """Every action by name."""

    def __init__(self, engine: StepFunctionsEngine) -> None:
        self._engine, self._history = engine, engine.history

    async def call(self, action: str, parameters: Parameters) -> Parameters:
        """AWS's answer to one API action, as a JSON object. Raise ApiError as AWS does."""
        if action not in ACTIONS:
            known = ", ".join(ACTIONS)
            raise ApiError("UnknownOperationException", f"{action} is not one of {known}")
        return await ACTIONS[action](self, parameters)

    # ------------------------------------------------------------------ state machines
    async def _create_state_machine(self, parameters: Parameters) -> Parameters:
        name, text = _name(parameters), _required(parameters, "definition")
        role, kind = _required(parameters, "roleArn"), parameters.get("type", "STANDARD")
        self._engine.definition(text, express=kind == "EXPRESS")
        arn = arn_of("stateMachine", name)
        row = {"arn": arn, "name": name, "role": role, "definition": text, "type": kind}
        kept = await self._history.get("machines", arn)
        if kept is None:
            kept = row | {"created_s": self._engine.clock.wall_s()}
            await self._history.put("machines", kept)
            await self._tag(arn, parameters.get("tags", []))
        elif any(kept[field] != row[field] for field in row):
            raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        return {"stateMachineArn": arn, "creationDate": kept["created_s"]}

    async def _update_state_machine(self, parameters: Parameters) -> Parameters:
        row = await self._machine(parameters)
        text = parameters.get("definition", row["definition"])
        self._engine.definition(text, express=row["type"] == "EXPRESS")
        role = parameters.get("roleArn", row["role"])
        await self._history.put("machines", row | {"definition": text, "role": role})
        return {"updateDate": self._engine.clock.wall_s()}

    async def _describe_state_machine(self, parameters: Parameters) -> Parameters:
        row = await self._machine(parameters)
        return _machine_answer(row) | {
            "status": "ACTIVE",
            "type": row["type"],
            "creationDate": row["created_s"],
        }

    async def _describe_state_machine_for_execution(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        machine = row | {"arn": row["machine"], "name": name_of(row["machine"])}
        return _machine_answer(machine) | {"updateDate": row["start_s"]}

    async def _list_state_machines(self, parameters: Parameters) -> Parameters:
        rows, token = await self._page("machines", parameters)
        listed = [
            {
                "stateMachineArn": r["arn"],
                "name": r["name"],
                "type": r["type"],
                "creationDate": r["created_s"],
            }
            for r in rows
        ]
        return {"stateMachines": listed} | token

    async def _delete_state_machine(self, parameters: Parameters) -> Parameters:
        arn = _required(parameters, "stateMachineArn")
        await self._history.remove("machines", arn)
        await self._history.remove("tags", arn)
        return {}

    async def _validate_state_machine_definition(self, parameters: Parameters) -> Parameters:
        text = parameters.get("definition", "")
        found = diagnose(text, express=parameters.get("type") == "EXPRESS")
        diagnostics = [
            {"severity": "ERROR", "code": d.code, "message": d.message}
            | ({} if d.location is None else {"location": d.location})
            for d in found
        ]
        return {"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": False}

    async def _tag_resource(self, parameters: Parameters) -> Parameters:
        await self._tag(_required(parameters, "resourceArn"), parameters.get("tags", []))
        return {}

    async def _untag_resource(self, parameters: Parameters) -> Parameters:
        for key in parameters.get("tagKeys", []):
            await self._history.remove("tags", _required(parameters, "resourceArn"), key)
        return {}

    async def _list_tags_for_resource(self, parameters: Parameters) -> Parameters:
        arn = _required(parameters, "resourceArn")
        rows = await self._history.page("tags", after="", limit=1000, arn=arn)
        return {"tags": [{"key": row["key"], "value": row["value"]} for row in rows]}

    async def _tag(self, arn: str, tags: list[dict[str, str]]) -> None:
        for tag in tags:
            await self._history.put("tags", {"arn": arn, "key": tag["key"], "value": tag["value"]})

    # ------------------------------------------------------------------ executions
    async def _start_execution(self, parameters: Parameters) -> Parameters:
        machine = await self._machine(parameters)
        row = self._new_execution(machine, parameters)
        if machine["type"] == "EXPRESS":
            self._engine.launch(row, machine, [], express=True)
            return {"executionArn": row["arn"], "startDate": row["start_s"]}
        kept, new = await self._history.add_execution(row)
        if new:
            self._engine.launch(kept, machine, [])
        elif kept["status"] != "RUNNING" or kept["input"] != row["input"]:
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{row['arn']}'")
        return {"executionArn": kept["arn"], "startDate": kept["start_s"]}

    async def _start_sync_execution(self, parameters: Parameters) -> Parameters:
        machine = await self._machine(parameters)
        if machine["type"] != "EXPRESS":
            raise ApiError(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            )
        row = self._new_execution(machine, parameters)
        ending = await self._engine.launch(row, machine, [], express=True)
        stop_s = self._engine.clock.wall_s()
        ended = {
            "status": ending.status, "output": ending.output, "error": ending.error, "cause": ending.cause,
            "stop_s": stop_s,
        }  # fmt: skip
        spent_ms = 100 * (1 + int((stop_s - row["start_s"]) * 10))
        bill = {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": spent_ms}
        return _execution_answer(row | ended) | {"billingDetails": bill}

    def _new_execution(self, machine: dict[str, Any], parameters: Parameters) -> dict[str, Any]:
        text = parameters.get("input", "{}")
        _check_input(text)
        name = _name(parameters) if parameters.get("name") else str(uuid.uuid4())
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
            "start_s": self._engine.clock.wall_s(),
        }

    async def _describe_execution(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        return _execution_answer(row) | _redrive(row)

    async def _list_executions(self, parameters: Parameters) -> Parameters:
        machine = await self._machine(parameters)
        rows, token = await self._page(
            "executions", parameters, machine=machine["arn"], status=parameters.get("statusFilter")
        )
        return {"executions": [_without(_execution_answer(r), _BODIES) for r in rows]} | token

    async def _stop_execution(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        if row["status"] == "RUNNING":
            error, cause = parameters.get("error"), parameters.get("cause")
            await self._engine.stop(row, error=error, cause=cause)
        return {"stopDate": (await self._execution(parameters))["stop_s"]}

    async def _get_execution_history(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        limit = parameters.get("maxResults") or 100
        try:
            after = int(parameters.get("nextToken", "0"))
        except ValueError:
            raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from None
        backwards = parameters.get("reverseOrder", False)
        found = await self._history.events(
            row["id"], after=after, limit=limit + 1, newest_first=backwards
        )
        with_data = parameters.get("includeExecutionData", True)
        page: Parameters = {
            "events": [_event(event, with_data=with_data) for event in found[:limit]]
        }
        if len(found) > limit:
            page["nextToken"] = str(found[limit - 1].id)
        return page

    # ------------------------------------------------------------------ activities and callbacks
    async def _create_activity(self, parameters: Parameters) -> Parameters:
        name = _name(parameters)
        arn = arn_of("activity", name)
        row = await self._history.get("activities", arn)
        if row is None:
            row = {"arn": arn, "name": name, "created_s": self._engine.clock.wall_s()}
            await self._history.put("activities", row)
            await self._tag(arn, parameters.get("tags", []))
        return {"activityArn": arn, "creationDate": row["created_s"]}

    async def _describe_activity(self, parameters: Parameters) -> Parameters:
        return _activity_answer(await self._activity(parameters))

    async def _list_activities(self, parameters: Parameters) -> Parameters:
        rows, token = await self._page("activities", parameters)
        return {"activities": [_activity_answer(row) for row in rows]} | token

    async def _delete_activity(self, parameters: Parameters) -> Parameters:
        await self._history.remove("activities", _required(parameters, "activityArn"))
        return {}

    async def _get_activity_task(self, parameters: Parameters) -> Parameters:
        activity = await self._activity(parameters)
        task = await self._engine.callbacks.take(
            activity["arn"], worker=parameters.get("workerName"), within_s=POLL_S
        )
        return {} if task is None else {"taskToken": task[0], "input": task[1]}

    async def _send_task_success(self, parameters: Parameters) -> Parameters:
        output = parameters.get("output")
        try:
            orjson.loads(output or "")
        except orjson.JSONDecodeError as error:
            raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from error
        await self._engine.callbacks.send(_required(parameters, "taskToken"), (output, None, None))
        return {}

    async def _send_task_failure(self, parameters: Parameters) -> Parameters:
        answer = (None, parameters.get("error"), parameters.get("cause"))
        await self._engine.callbacks.send(_required(parameters, "taskToken"), answer)
        return {}

    async def _send_task_heartbeat(self, parameters: Parameters) -> Parameters:
        self._engine.callbacks.heartbeat(_required(parameters, "taskToken"))
        return {}

    # ------------------------------------------------------------------ rows
    async def _machine(self, parameters: Parameters) -> dict[str, Any]:
        return await existing(
            self._history, "machines", _required(parameters, "stateMachineArn"), **_MACHINE
        )

    async def _execution(self, parameters: Parameters) -> dict[str, Any]:
        return await existing(
            self._history, "executions", _required(parameters, "executionArn"), **_EXECUTION
        )

    async def _activity(self, parameters: Parameters) -> dict[str, Any]:
        return await existing(
            self._history, "activities", _required(parameters, "activityArn"), **_ACTIVITY
        )

    async def _page(
        self, table: str, parameters: Parameters, **equal: str | None
    ) -> tuple[list[dict[str, Any]], Parameters]:
        limit = parameters.get("maxResults") or 100
        after = parameters.get("nextToken", "")
        rows = await self._history.page(table, after=after, limit=limit + 1, **equal)
        return rows[:limit], {"nextToken": rows[limit - 1]["arn"]} if len(rows) > limit else {}


_BODIES = ("input", "inputDetails", "output", "outputDetails", "error", "cause")


def _without(answer: Parameters, names: tuple[str, ...]) -> Parameters:
    return {key: value for key, value in answer.items() if key not in names}


def _machine_answer(row: dict[str, Any]) -> Parameters:
    return {
        "stateMachineArn": row["arn"],
        "name": row["name"],
        "definition": row["definition"],
        "roleArn": row["role"],
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }


def _activity_answer(row: dict[str, Any]) -> Parameters:
    return {"activityArn": row["arn"], "name": row["name"], "creationDate": row["created_s"]}


def _execution_answer(row: dict[str, Any]) -> Parameters:
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
    }
    return {key: value for key, value in found.items() if value is not None}


def _redrive(row: dict[str, Any]) -> Parameters:
    if row["status"] in ("FAILED", "ABORTED", "TIMED_OUT"):
        return {"redriveCount": 0, "redriveStatus": "REDRIVABLE"}
    reason = f"Execution is {row['status']} and cannot be redriven"
    return {"redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


_DATA = ("input", "output", "parameters", "assignedVariables", "cause")


def _event(event: Event, *, with_data: bool) -> Parameters:
    details = event.details
    if not with_data:
        details = {name: _without(inner, _DATA) for name, inner in details.items()}
    return {
        "timestamp": event.at_s,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
        **details,
    }


def _required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError("ValidationException", f"'{name}' must be a text that is not empty")
    return value


def _name(parameters: Parameters) -> str:
    name = _required(parameters, "name")
    if not _NAME.fullmatch(name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name


def _check_input(text: Any) -> None:
    if not isinstance(text, str):
        raise ApiError("ValidationException", "'input' must be a text")
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise ApiError("ValidationException", f"'input' is over {MAX_PAYLOAD_BYTES} bytes")
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        ) from error


ACTIONS: dict[str, Callable[[Actions, Parameters], Awaitable[Parameters]]] = {
    "CreateStateMachine": Actions._create_state_machine,
    "UpdateStateMachine": Actions._update_state_machine,
    "DescribeStateMachine": Actions._describe_state_machine,
    "DescribeStateMachineForExecution": Actions._describe_state_machine_for_execution,
    "ListStateMachines": Actions._list_state_machines,
    "DeleteStateMachine": Actions._delete_state_machine,
    "ValidateStateMachineDefinition": Actions._validate_state_machine_definition,
    "TagResource": Actions._tag_resource,
    "UntagResource": Actions._untag_resource,
    "ListTagsForResource": Actions._list_tags_for_resource,
    "StartExecution": Actions._start_execution,
    "StartSyncExecution": Actions._start_sync_execution,
    "DescribeExecution": Actions._describe_execution,
    "ListExecutions": Actions._list_executions,
    "StopExecution": Actions._stop_execution,
    "GetExecutionHistory": Actions._get_execution_history,
    "CreateActivity": Actions._create_activity,
    "DescribeActivity": Actions._describe_activity,
    "ListActivities": Actions._list_activities,
    "DeleteActivity": Actions._delete_activity,
    "GetActivityTask": Actions._get_activity_task,
    "SendTaskSuccess": Actions._send_task_success,
    "SendTaskFailure": Actions._send_task_failure,
    "SendTaskHeartbeat": Actions._send_task_heartbeat,
}
"""Name of an action -> what carries it out."""
