"""Actions on state machines and their tags. Source: AWS Step Functions API reference, one section per action."""

from typing import Any

from orchestration.engine import pages, requests
from orchestration.engine.definition import check, diagnose
from orchestration.engine.errors import ApiError
from orchestration.engine.limits import PAGE_SIZE
from orchestration.engine.requests import Parameters
from orchestration.engine.service import StepFunctionsEngine, arn_of, name_of

_UPDATED = {"definition", "roleArn", "loggingConfiguration", "tracingConfiguration"}


async def create_state_machine(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Make a state machine; the same request again changes nothing."""
    name, text = requests.name(parameters), parameters["definition"]
    kind = parameters.get("type", "STANDARD")
    check(text, express=kind == "EXPRESS")
    arn = arn_of("stateMachine", name)
    row = {
        "arn": arn,
        "name": name,
        "role": parameters["roleArn"],
        "definition": text,
        "type": kind,
    }
    made = row | {"created_s": engine.clock.wall_s()}
    kept = await engine.registry.make("machines", made, requests.tags(parameters))
    if any(kept[field] != row[field] for field in ("definition", "type")):
        raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
    return {"stateMachineArn": arn, "creationDate": kept["created_s"]}


async def update_state_machine(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Give a machine another definition or role; executions that run keep theirs."""
    row = await _machine(engine, parameters)
    if not parameters.keys() & _UPDATED:
        told = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"
        raise ApiError("MissingRequiredParameter", told)
    text = parameters.get("definition", row["definition"])
    check(text, express=row["type"] == "EXPRESS")
    role = parameters.get("roleArn", row["role"])
    await engine.registry.put("machines", row | {"definition": text, "role": role})
    return {"updateDate": engine.clock.wall_s()}


async def describe_state_machine(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A machine with its definition."""
    row = await _machine(engine, parameters)
    told = {"status": "ACTIVE", "type": row["type"], "creationDate": row["created_s"]}
    return _answer(row) | told


async def describe_state_machine_for_execution(
    engine: StepFunctionsEngine, parameters: Parameters
) -> Parameters:
    """The machine as it was when an execution started."""
    row = await requests.existing(engine, "execution", parameters["executionArn"])
    machine = row | {"arn": row["machine"], "name": name_of(row["machine"])}
    return _answer(machine) | {"updateDate": row["start_s"]}


async def list_state_machines(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A page of machines, in order of name."""
    rows, token = await page(engine, "machines", parameters)
    listed = [
        {"stateMachineArn": r["arn"], "name": r["name"], "type": r["type"], "creationDate": r["created_s"]}
        for r in rows
    ]  # fmt: skip
    return {"stateMachines": listed} | token


async def delete_state_machine(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Forget a machine; executions that run go on."""
    arn = requests.arn("stateMachine", parameters["stateMachineArn"])
    await engine.registry.remove("machines", arn)
    await engine.registry.remove("tags", arn)
    return {}


async def list_versions(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A machine's versions: it has none here, and whoever manages infrastructure asks."""
    await _machine(engine, parameters)
    return {"stateMachineVersions": []}


async def list_aliases(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A machine's aliases: none, too."""
    await _machine(engine, parameters)
    return {"stateMachineAliases": []}


async def validate_state_machine_definition(
    engine: StepFunctionsEngine, parameters: Parameters
) -> Parameters:
    """Every fault of a definition, without making a machine of it."""
    found = diagnose(parameters["definition"], express=parameters.get("type") == "EXPRESS")
    most = parameters.get("maxResults") or PAGE_SIZE
    diagnostics = [
        {"severity": "ERROR", "code": d.code, "message": d.message}
        | ({} if d.location is None else {"location": d.location})
        for d in found[:most]
    ]
    result = "FAIL" if found else "OK"
    return {"result": result, "diagnostics": diagnostics, "truncated": len(found) > most}


async def tag_resource(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Put tags on a machine or an activity."""
    arn = await _tagged(engine, parameters)
    for given in requests.tags(parameters):
        await engine.registry.put("tags", {"arn": arn, **given})
    return {}


async def untag_resource(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Take tags off."""
    arn = await _tagged(engine, parameters)
    for key in parameters["tagKeys"]:
        await engine.registry.remove("tags", arn, key)
    return {}


async def list_tags_for_resource(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """The tags of a machine or an activity."""
    return {"tags": await engine.registry.tags(await _tagged(engine, parameters))}


async def _tagged(engine: StepFunctionsEngine, parameters: Parameters) -> str:
    """The ARN of a machine or an activity that exists. Raise ApiError ResourceNotFound."""
    arn: str = parameters["resourceArn"]
    found = await engine.registry.machine(arn) or await engine.registry.activity(arn)
    if found is None:
        raise ApiError("ResourceNotFound", f"Resource not found: '{arn}'")
    return arn


async def page(
    engine: StepFunctionsEngine, table: str, parameters: Parameters
) -> tuple[list[dict[str, Any]], Parameters]:
    """A page of machines or activities, and the token of the next one if there is any."""
    rows = await engine.registry.page(
        table, after=parameters.get("nextToken", ""), limit=pages.limit(parameters)
    )
    return pages.cut(rows, parameters, lambda row: row["arn"])


async def _machine(engine: StepFunctionsEngine, parameters: Parameters) -> dict[str, Any]:
    return await requests.existing(engine, "stateMachine", parameters["stateMachineArn"])


def _answer(row: dict[str, Any]) -> Parameters:
    return {
        "stateMachineArn": row["arn"],
        "name": row["name"],
        "definition": row["definition"],
        "roleArn": row["role"],
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }


ACTIONS = {
    "CreateStateMachine": create_state_machine,
    "UpdateStateMachine": update_state_machine,
    "DescribeStateMachine": describe_state_machine,
    "DescribeStateMachineForExecution": describe_state_machine_for_execution,
    "ListStateMachines": list_state_machines,
    "DeleteStateMachine": delete_state_machine,
    "ListStateMachineVersions": list_versions,
    "ListStateMachineAliases": list_aliases,
    "ValidateStateMachineDefinition": validate_state_machine_definition,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
"""Name of an action -> what carries it out."""
