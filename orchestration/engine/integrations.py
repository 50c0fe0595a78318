"""Task states that call another AWS service: Amazon SNS, SQS, EventBridge and DynamoDB, request by request.

Source: AWS Step Functions Developer Guide, "Integrating services", one page a service: which actions and parameters there are;
recorded executions of AWS: names of errors, events, and what a result holds.
"""

import copy
import re
from dataclasses import dataclass
from typing import Any

from orchestration.engine.dispatch import CALLBACK, carried_out
from orchestration.engine.entered import Entered
from orchestration.engine.errors import Fault, StatesError
from orchestration.engine.task_events import REGION, Family, Limits
from orchestration.engine.text import parsed, text

_CONDITION = {
    "ConditionalOperator", "ConditionExpression", "Expected", "ExpressionAttributeNames", "ExpressionAttributeValues",
    "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues", "TableName",
}  # fmt: skip
_RESOURCE = re.compile(
    r"arn:aws[\w-]*:states:[a-z0-9-]*:(?:\d{12})?:([a-z]+):([A-Za-z]+)(\.waitForTaskToken)?"
)
SDK_CLIENT_EXCEPTION = "SdkClientException"
"""The call did not come to an answer."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service. `actions`: what is called -> the parameters that are passed on; others are dropped, as AWS does.

    `errors`: what its errors' names begin with. `api`: its name in a cause. `other`: the error that the service has no name for,
    `invalid`: the one for parameters that do not fit. `texts`: parameters that may be JSON and are sent as its text.
    """

    actions: dict[str, set[str]]
    errors: str
    api: str
    other: str
    invalid: str
    texts: tuple[str, ...] = ()
    callback: bool = True


SERVICES = {
    "sns": Service(
        {
            "publish": {
                "Message", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "MessageStructure",
                "PhoneNumber", "Subject", "TargetArn", "TopicArn",
            }
        },
        errors="SNS", api="AmazonSNS", other="AmazonSNSException", invalid="InvalidParameterException",
        texts=("Message",),
    ),
    "sqs": Service(
        {
            "sendMessage": {
                "DelaySeconds", "MessageAttributes", "MessageBody", "MessageDeduplicationId", "MessageGroupId", "QueueUrl",
            }
        },
        errors="SQS", api="AmazonSQS", other="AmazonSQSException", invalid="AmazonSQSException",
        texts=("MessageBody",),
    ),
    "events": Service(
        {"putEvents": {"Entries"}},
        errors="EventBridge", api="AmazonEventBridge", other="AmazonEventBridgeException",
        invalid="AmazonEventBridgeException",
    ),
    "dynamodb": Service(
        {
            "getItem": {
                "AttributesToGet", "ConsistentRead", "ExpressionAttributeNames", "Key", "ProjectionExpression",
                "ReturnConsumedCapacity", "TableName",
            },
            "putItem": {"Item", *_CONDITION},
            "updateItem": {"AttributeUpdates", "Key", "UpdateExpression", *_CONDITION},
            "deleteItem": {"Key", *_CONDITION},
        },
        errors="DynamoDB", api="AmazonDynamoDBv2", other="AmazonDynamoDBException", invalid="AmazonDynamoDBException",
        callback=False,
    ),
}  # fmt: skip
"""Name in a resource's ARN -> the service."""


def supported() -> list[str]:
    """Every action, as a resource names it."""
    return [
        f"states:::{name}:{action}{f' (also {CALLBACK})' if service.callback else ''}"
        for name, service in SERVICES.items()
        for action in service.actions
    ]


def called_by(resource: str) -> tuple[str, str, bool] | None:
    """(service, action, whether the answer comes with a task token) of a resource; None if it is none of these."""
    match = _RESOURCE.fullmatch(resource)
    if match is None or match[1] not in SERVICES or match[2] not in SERVICES[match[1]].actions:
        return None
    if match[3] and not SERVICES[match[1]].callback:
        return None
    return match[1], match[2], bool(match[3])


async def run(entered: Entered, arguments: Any, limits: Limits) -> Any:
    """One attempt at a call: its result. Raise StatesError once its failure is recorded."""
    called = called_by(entered.state["Resource"])
    assert called is not None
    name, action, callback = called
    service, shared = SERVICES[name], entered.branch.shared
    if not isinstance(arguments, dict):
        raise Fault("States.Runtime", f"The parameters of {name}:{action} must be an object")
    given = {key: arguments[key] for key in arguments if key in service.actions[action]}
    family = Family(
        "Task", {"resource": f"{action}{CALLBACK if callback else ''}", "resourceType": name}
    )
    details = {"parameters": text(given), "region": REGION} | limits.told()
    scheduled = family.record(entered, "Scheduled", details)
    family.record(entered, "Started", {})
    sent = parsed(scheduled.details["taskScheduledEventDetails"]["parameters"])

    async def dispatch() -> str:
        request = _request(name, sent, [shared.machine["arn"], shared.row["arn"]])
        answer = await shared.call(name, action, request)
        if answer.get("FailedEntryCount"):
            raise StatesError(f"{service.errors}.FailedEntry", text(answer))
        return text(answer)

    return await carried_out(
        entered, family, scheduled, dispatch, limits, who=name, callback=callback
    )


def _request(name: str, given: dict[str, Any], resources: list[str]) -> dict[str, Any]:
    """What the API gets: JSON as text where it takes text; an event names the machine and the execution it comes from."""
    request = copy.deepcopy({key: value for key, value in given.items() if value is not None})
    for key in SERVICES[name].texts:
        if key in request and not isinstance(request[key], str):
            request[key] = text(request[key])
    entries = request.get("Entries") if name == "events" else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        if isinstance(entry.get("Detail"), dict):
            entry["Detail"] = text(entry["Detail"])
        named = entry.get("Resources")
        entry["Resources"] = [*(named if isinstance(named, list) else []), *resources]
    return request


async def no_services(name: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A ServiceCall where no service has an endpoint."""
    raise unreachable(name)


def unreachable(name: str) -> StatesError:
    """What a call of a service without endpoint fails with."""
    told = (
        f"Unable to execute HTTP request: no endpoint; start the engine with --{name}-endpoint URL"
    )
    return StatesError(f"{SERVICES[name].errors}.{SDK_CLIENT_EXCEPTION}", told)
