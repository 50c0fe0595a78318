"""boto3 as a user has it, with nothing set but the environment of docs/aws_clients.md."""

import asyncio
import re
from pathlib import Path

import boto3
import pytest

from orchestration.step_functions import ROLE
from tests.contract.engines import STATES, open_engine

PAGE = Path(__file__).parents[2] / "docs" / "aws_clients.md"
PASS = '{"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "hello", "End": true}}}'


@pytest.fixture
async def client(tmp_path, monkeypatch):
    exports = re.findall(r"^export (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for name, value in re.findall(r"(\w+)=(\S+)", " ".join(exports)):
        monkeypatch.setenv(name, value)
    async with open_engine("embedded", tmp_path, {}) as engine:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", engine.engine.endpoint)
        client = boto3.session.Session().client("stepfunctions")
        yield client
        client.close()


async def test_an_express_execution_is_started_synchronously(client):
    made = await asyncio.to_thread(
        client.create_state_machine, name="m", definition=PASS, roleArn=ROLE, type="EXPRESS"
    )
    ended = await asyncio.to_thread(
        client.start_sync_execution, stateMachineArn=made["stateMachineArn"]
    )
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", '"hello"')


async def test_every_answer_has_a_request_id(client):
    ids = {
        (await asyncio.to_thread(client.list_state_machines))["ResponseMetadata"]["RequestId"]
        for _ in range(2)
    }
    missing = f"{STATES}stateMachine:no"
    with pytest.raises(client.exceptions.StateMachineDoesNotExist) as refused:
        await asyncio.to_thread(client.describe_state_machine, stateMachineArn=missing)
    ids.add(refused.value.response["ResponseMetadata"]["RequestId"])
    assert len(ids) == 3
