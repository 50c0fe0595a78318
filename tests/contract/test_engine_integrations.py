"""sns:publish, sqs:sendMessage, events:putEvents and dynamodb:..., against moto's services over HTTP."""

import asyncio
import base64
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from bench.peers.moto_server import moto_server
from kernel.child import free_port
from orchestration.boto3_client import UNUSED_KEYS, open_client
from orchestration.engine.integrations import SERVICES
from orchestration.engine.service_calls import http_services
from orchestration.step_functions import Refused
from tests.contract.engines import WAYS, open_engine, run_to_end, start, wait_for_end

inprocess = pytest.mark.parametrize("way", ["inprocess"], indirect=True)
NUMBERS = iter(range(10_000))


@pytest.fixture(scope="module")
async def aws(tmp_path_factory):
    """moto's endpoint."""
    async with moto_server(tmp_path_factory.mktemp("moto")) as endpoint:
        yield endpoint


@dataclass
class Client:
    """A boto3 client off the event loop."""

    client: Any

    async def __call__(self, action, **parameters):
        return await asyncio.to_thread(getattr(self.client, action), **parameters)


@pytest.fixture
def client(aws):
    made = []

    def of(service):
        made.append(open_client(service, aws, threads=2, keys=UNUSED_KEYS))
        return Client(made[-1])

    yield of
    for one in made:
        one.close()


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
async def engine(way, aws, tmp_path):
    endpoints = dict.fromkeys(SERVICES, aws)
    async with _open(way, tmp_path, endpoints) as running:
        yield running


def _open(way, folder, endpoints):
    stack = AsyncExitStack()

    class Opened:
        async def __aenter__(self):
            if way == "embedded":
                more = {"services": endpoints}
            else:
                more = {"call": await stack.enter_async_context(http_services(endpoints))}
            return await stack.enter_async_context(open_engine(way, folder, {}, **more))

        async def __aexit__(self, *about):
            await stack.aclose()

    return Opened()


def _machine(action, parameters, **more):
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{action}", "Parameters": parameters}
    return {"StartAt": "T", "States": {"T": {**state, "End": True, **more}}}


async def _events(engine, execution):
    found = (await engine.call("GetExecutionHistory", {"executionArn": execution}))["events"]
    return [e for e in found if e["type"].startswith("Task") and "State" not in e["type"]]


async def _queue(client, name="q"):
    """(a call, URL, ARN) of a new queue."""
    sqs = client("sqs")
    url = (await sqs("create_queue", QueueName=f"{name}{next(NUMBERS)}"))["QueueUrl"]
    about = await sqs("get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
    return sqs, url, about["Attributes"]["QueueArn"]


async def _received(sqs, url):
    async with asyncio.timeout(10):
        while True:
            found = await sqs("receive_message", QueueUrl=url, MessageAttributeNames=["All"])
            if "Messages" in found:
                return found["Messages"][0]
            await asyncio.sleep(0.05)


async def test_a_message_is_published_to_a_topic(engine, client):
    sqs, url, queue = await _queue(client)
    sns = client("sns")
    topic = (await sns("create_topic", Name=f"t{next(NUMBERS)}"))["TopicArn"]
    await sns("subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue)
    attributes = {"kind": {"DataType": "String", "StringValue.$": "$.kind"}}
    parameters = {
        "TopicArn": topic, "Message": {"order.$": "$.id", "ö": [1, None]}, "Subject": "s", "MessageAttributes": attributes,
    }  # fmt: skip
    document = {"id": "o1", "kind": "paid"}
    _, execution, ended = await run_to_end(engine, _machine("sns:publish", parameters), document)
    output = json.loads(ended["output"])
    assert set(output) == {"MessageId", "SdkHttpMetadata", "SdkResponseMetadata"}
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    heard = json.loads((await _received(sqs, url))["Body"])
    assert json.loads(heard["Message"]) == {"order": "o1", "ö": [1, None]}
    assert (heard["MessageId"], heard["Subject"]) == (output["MessageId"], "s")
    assert heard["MessageAttributes"]["kind"]["Value"] == "paid"
    kinds = [event["type"] for event in await _events(engine, execution)]
    assert kinds == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]
    scheduled = (await _events(engine, execution))[0]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("sns", "publish")
    assert json.loads(scheduled["parameters"])["Message"] == {"order": "o1", "ö": [1, None]}


async def test_a_message_is_sent_with_what_the_api_takes_and_the_rest_is_dropped(engine, client):
    sqs, url, _ = await _queue(client)
    blob = base64.b64encode(b"\x00\xff").decode()
    parameters = {
        "QueueUrl": url, "MessageBody": "plain", "MessageSystemAttribute": {"no": "such"},
        "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": blob}},
    }  # fmt: skip
    _, execution, ended = await run_to_end(engine, _machine("sqs:sendMessage", parameters), {})
    heard = await _received(sqs, url)
    assert heard["Body"] == "plain"
    assert heard["MessageAttributes"]["b"]["BinaryValue"] == b"\x00\xff"
    assert json.loads(ended["output"])["MD5OfMessageBody"] == heard["MD5OfBody"]
    scheduled = (await _events(engine, execution))[0]["taskScheduledEventDetails"]
    assert set(json.loads(scheduled["parameters"])) == {
        "QueueUrl", "MessageBody", "MessageAttributes",
    }  # fmt: skip


@pytest.mark.parametrize("action", ["sns:publish", "sqs:sendMessage", "events:putEvents"])
async def test_a_task_waits_until_its_token_comes_back_and_a_dead_engine_forgets_none(
    engine, client, action
):
    sqs, url, queue = await _queue(client)
    body = {"token.$": "$$.Task.Token"}
    parameters = {
        "sns:publish": {"Message": body},
        "sqs:sendMessage": {"QueueUrl": url, "MessageBody": body},
        "events:putEvents": {"Entries": [{"Source": "s", "DetailType": "d", "Detail": body}]},
    }[action]
    if action == "sns:publish":
        topic = (await client("sns")("create_topic", Name=f"t{next(NUMBERS)}"))["TopicArn"]
        raw = {"RawMessageDelivery": "true"}
        await client("sns")(
            "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=raw
        )
        parameters["TopicArn"] = topic
    elif action == "events:putEvents":
        events = client("events")
        await events("put_rule", Name=f"r{url[-3:]}", EventPattern='{"source": ["s"]}')
        await events("put_targets", Rule=f"r{url[-3:]}", Targets=[{"Id": "1", "Arn": queue}])
    machine = _machine(f"{action}.waitForTaskToken", parameters)
    execution = await start(engine.call, machine)
    heard = json.loads((await _received(sqs, url))["Body"])
    token = heard.get("detail", heard)["token"]
    while (await _events(engine, execution))[-1]["type"] != "TaskSubmitted":
        await asyncio.sleep(0.01)
    await engine.engine.kill()
    await engine.engine.restart()
    await engine.call("SendTaskSuccess", {"taskToken": token, "output": '{"paid": true}'})
    assert json.loads((await wait_for_end(engine.call, execution))["output"]) == {"paid": True}
    again = await sqs("receive_message", QueueUrl=url)
    assert "Messages" not in again  # what had been submitted is not sent again


async def test_an_event_names_the_execution_that_it_comes_from(engine, client):
    sqs, url, queue = await _queue(client)
    events, source = client("events"), f"orders-{next(NUMBERS)}"
    await events("put_rule", Name=source, EventPattern=json.dumps({"source": [source]}))
    await events("put_targets", Rule=source, Targets=[{"Id": "1", "Arn": queue}])
    entry = {"Source": source, "DetailType": "Paid", "Detail": {"id.$": "$.id"}, "Resources": ["mine"]}  # fmt: skip
    _, execution, ended = await run_to_end(
        engine, _machine("events:putEvents", {"Entries": [entry]}), {"id": "o1"}
    )
    output = json.loads(ended["output"])
    assert output == {"FailedEntryCount": 0, "Entries": [{"EventId": output["Entries"][0]["EventId"]}]}  # fmt: skip
    heard = json.loads((await _received(sqs, url))["Body"])
    assert heard["detail"] == {"id": "o1"}
    machine = execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    assert heard["resources"] == ["mine", machine, execution]


async def test_an_entry_that_the_bus_does_not_take_fails_the_task(engine):
    entries = [{"DetailType": "d", "Detail": {"no": "source"}}]
    machine = _machine("events:putEvents", {"Entries": entries})
    _, _, ended = await run_to_end(engine, machine, {})
    assert ended["error"] == "EventBridge.FailedEntry"
    cause = json.loads(ended["cause"])
    assert cause["FailedEntryCount"] == 1
    assert "Source" in cause["Entries"][0]["ErrorMessage"]


@pytest.fixture
async def table(client):
    name, dynamodb = f"t{next(NUMBERS)}", client("dynamodb")
    await dynamodb(
        "create_table",
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


async def test_an_item_is_put_read_changed_and_deleted(engine, table):
    key = {"id": {"S": "o1"}}
    item = {**key, "n": {"N": "1"}, "b": {"B": base64.b64encode(b"\xff").decode()}}
    steps = [
        ("putItem", {"Item": item}),
        ("updateItem", {
            "Key": key, "UpdateExpression": "SET n = n + :one", "ReturnValues": "ALL_NEW",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }),
        ("getItem", {"Key": key, "ConsistentRead": True}),
        ("deleteItem", {"Key": key, "ReturnValues": "ALL_OLD"}),
    ]  # fmt: skip
    states = {
        action: {
            "Type": "Task",
            "Resource": f"arn:aws:states:::dynamodb:{action}",
            "Parameters": {"TableName": table, **parameters},
            "ResultPath": f"$.{action}",
            **({"End": True} if action == "deleteItem" else {"Next": following}),
        }
        for (action, parameters), following in zip(
            steps, [action for action, _ in steps[1:]] + [""], strict=True
        )
    }
    machine = {"StartAt": "putItem", "States": states}
    _, _, ended = await run_to_end(engine, machine, {})
    output = json.loads(ended["output"])
    whole = item | {"n": {"N": "2"}}
    assert "Attributes" not in output["putItem"]
    assert output["updateItem"]["Attributes"] == whole
    assert output["getItem"]["Item"] == whole
    assert output["deleteItem"]["Attributes"] == whole
    assert output["getItem"]["SdkHttpMetadata"]["HttpStatusCode"] == 200


NO_TOPIC = "arn:aws:sns:us-east-1:123456789012:none"


@pytest.mark.parametrize(
    ("action", "parameters", "error", "cause"),
    [
        ("sns:publish", {"TopicArn": NO_TOPIC, "Message": "x"}, "SNS.NotFoundException", "(Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: "),
        ("sns:publish", {"TopicArn": NO_TOPIC}, "SNS.InvalidParameterException", "Message"),
        ("sqs:sendMessage", {"QueueUrl": "AT/123456789012/none", "MessageBody": "x"}, "SQS.QueueDoesNotExistException", "Status Code: 400"),
        ("sqs:sendMessage", {"QueueUrl": "AT/123456789012/q", "MessageBody": None}, "SQS.AmazonSQSException", "MessageBody"),
        ("dynamodb:putItem", {"TableName": "none", "Item": {"id": {"S": "x"}}}, "DynamoDB.ResourceNotFoundException", "(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException"),
        ("dynamodb:getItem", {"TableName": "none", "Key": []}, "DynamoDB.AmazonDynamoDBException", "Key"),
        ("dynamodb:putItem", {"TableName": "none", "Item": {"id": {"B": "no base64"}}}, "DynamoDB.SdkClientException", "Unable to execute HTTP request"),
    ],
)  # fmt: skip
@inprocess
async def test_a_refusal_has_the_name_of_the_sdks_exception_and_can_be_caught(
    engine, aws, action, parameters, error, cause
):
    parameters = {
        name: value.replace("AT", aws) if name == "QueueUrl" else value
        for name, value in parameters.items()
    }
    caught = [{"ErrorEquals": [error], "ResultPath": "$.why", "Next": "C"}]
    machine = _machine(action, parameters, Catch=caught)
    machine["States"]["C"] = {"Type": "Pass", "OutputPath": "$.why", "End": True}
    _, _, ended = await run_to_end(engine, machine, {})
    assert ended["status"] == "SUCCEEDED", ended.get("error")
    assert cause in json.loads(ended["output"])["Cause"]


async def test_a_condition_that_does_not_hold_fails_by_its_name(engine, table):
    parameters = {"TableName": table, "Item": {"id": {"S": "o1"}}, "ConditionExpression": "attribute_exists(id)"}  # fmt: skip
    _, execution, ended = await run_to_end(engine, _machine("dynamodb:putItem", parameters), {})
    assert ended["error"] == "DynamoDB.ConditionalCheckFailedException"
    failed = (await _events(engine, execution))[-1]["taskFailedEventDetails"]
    assert (failed["resourceType"], failed["resource"]) == ("dynamodb", "putItem")


async def test_what_cannot_be_reached_fails_as_the_sdk_says_and_names_the_option(way, tmp_path):
    nobody = {"sns": f"http://127.0.0.1:{free_port()}"}
    async with _open(way, tmp_path, nobody) as engine:
        machine = _machine("sns:publish", {"TopicArn": NO_TOPIC, "Message": "x"})
        _, _, ended = await run_to_end(engine, machine, {})
        assert ended["error"] == "SNS.SdkClientException"
        assert "Unable to execute HTTP request" in ended["cause"]
    (tmp_path / "2").mkdir()
    async with _open(way, tmp_path / "2", {}) as engine:
        machine = _machine("dynamodb:getItem", {"TableName": "t", "Key": {}})
        _, _, ended = await run_to_end(engine, machine, {})
        assert ended["error"] == "DynamoDB.SdkClientException"
        assert "start the engine with --dynamodb-endpoint URL" in ended["cause"]


async def test_a_slow_service_times_out_and_is_retried_by_the_machine(way, tmp_path):
    connections = []

    async def silent(reader, writer):
        connections.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    retry = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    more = {"TimeoutSeconds": 20, "Retry": retry}
    async with _open(way, tmp_path, {"sns": url}) as engine:
        machine = _machine("sns:publish", {"TopicArn": NO_TOPIC, "Message": "x"}, **more)
        _, _, ended = await run_to_end(engine, machine, {})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert len(connections) == 2
    for writer in connections:
        writer.close()
    server.close()


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("dynamodb:query", "STANDARD"),
        ("dynamodb:getItem.waitForTaskToken", "STANDARD"),
        ("sns:publishBatch", "STANDARD"),
        ("sqs:sendMessage.sync", "STANDARD"),
        ("aws-sdk:sns:publish", "STANDARD"),
        ("sqs:sendMessage.waitForTaskToken", "EXPRESS"),
    ],
)
@inprocess
async def test_anything_else_is_refused_by_name(engine, resource, kind):
    with pytest.raises(Refused) as refused:
        await start(engine.call, _machine(resource, {}), kind=kind)
    assert refused.value.code == "InvalidDefinition"
    assert resource.partition(":")[0] in str(refused.value) or "waitForTaskToken" in str(refused.value)  # fmt: skip


@inprocess
async def test_parameters_that_are_no_object_end_the_execution(engine):
    state = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "InputPath": "$.x", "End": True}  # fmt: skip
    _, _, ended = await run_to_end(
        engine, {"StartAt": "T", "States": {"T": state}}, {"x": "a text"}
    )
    assert ended["error"] == "States.Runtime"
    assert "The parameters of sns:publish must be an object" in ended["cause"]
