"""Actions on activities and task tokens. Source: AWS Step Functions API reference, one section per action."""

from typing import Any

from orchestration.engine import machine_actions, requests
from orchestration.engine.limits import POLL_S
from orchestration.engine.requests import Parameters
from orchestration.engine.service import StepFunctionsEngine, arn_of


async def create_activity(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Make an activity; the same request again changes nothing."""
    name = requests.name(parameters)
    arn = arn_of("activity", name)
    made = {"arn": arn, "name": name, "created_s": engine.clock.wall_s()}
    row = await engine.registry.make("activities", made, requests.tags(parameters))
    engine.callbacks.activities.add(arn)
    return {"activityArn": arn, "creationDate": row["created_s"]}


async def describe_activity(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """An activity."""
    return _answer(await _activity(engine, parameters))


async def list_activities(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """A page of activities, in order of name."""
    rows, token = await machine_actions.page(engine, "activities", parameters)
    return {"activities": [_answer(row) for row in rows]} | token


async def delete_activity(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Forget an activity."""
    arn = requests.arn("activity", parameters["activityArn"])
    await engine.registry.remove("activities", arn)
    await engine.registry.remove("tags", arn)
    engine.callbacks.activities.discard(arn)
    return {}


async def get_activity_task(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """The next task of an activity, as soon as there is one; nothing after POLL_S."""
    activity = await _activity(engine, parameters)
    task = await engine.callbacks.take(
        activity["arn"], worker=parameters.get("workerName"), within_s=POLL_S
    )
    return {} if task is None else {"taskToken": task[0], "input": task[1]}


async def send_task_success(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Answer a task."""
    answer = (requests.task_output(parameters), None, None)
    await engine.callbacks.send(parameters["taskToken"], answer)
    return {}


async def send_task_failure(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Answer a task with an error."""
    answer = (None, parameters.get("error"), parameters.get("cause"))
    await engine.callbacks.send(parameters["taskToken"], answer)
    return {}


async def send_task_heartbeat(engine: StepFunctionsEngine, parameters: Parameters) -> Parameters:
    """Say that a task is being worked on."""
    await engine.callbacks.heartbeat(parameters["taskToken"])
    return {}


async def _activity(engine: StepFunctionsEngine, parameters: Parameters) -> dict[str, Any]:
    return await requests.existing(engine, "activity", parameters["activityArn"])


def _answer(row: dict[str, Any]) -> Parameters:
    return {"activityArn": row["arn"], "name": row["name"], "creationDate": row["created_s"]}


ACTIONS = {
    "CreateActivity": create_activity,
    "DescribeActivity": describe_activity,
    "ListActivities": list_activities,
    "DeleteActivity": delete_activity,
    "GetActivityTask": get_activity_task,
    "SendTaskSuccess": send_task_success,
    "SendTaskFailure": send_task_failure,
    "SendTaskHeartbeat": send_task_heartbeat,
}
"""Name of an action -> what carries it out."""
