"""AWS Step Functions as the saga uses it: create, start, describe, history.

One class over two ways to reach a service: boto3 (the embedded engine over HTTP, any endpoint, AWS)
and a direct call of an engine in this process.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from kernel.errors import NotDelivered, OutcomeUnknown, UsageError
from orchestration.boto3_client import DEADLINE_S, UNUSED_KEYS, open_client
from orchestration.engine import actions
from orchestration.engine.errors import ApiError
from orchestration.engine.service import StepFunctionsEngine

Call = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""(action such as "StartExecution", parameters) -> answer. Raises Refused, NotDelivered or OutcomeUnknown."""
THREADS = 16
ROLE = "arn:aws:iam::000000000000:role/saga"


class Refused(NotDelivered):
    """The service said no: AWS's error code. The effect is definite: none."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class StepFunctions:
    """A Step Functions service. Every method raises Refused, NotDelivered or OutcomeUnknown."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def create(self, *, name: str, definition: dict[str, Any]) -> str:
        """Create a state machine; its ARN."""
        parameters = {"name": name, "definition": json.dumps(definition), "roleArn": ROLE}
        return str((await self._call("CreateStateMachine", parameters))["stateMachineArn"])

    async def update(self, machine_arn: str, *, definition: dict[str, Any]) -> None:
        """Give a state machine another definition: executions that run keep theirs."""
        parameters = {"stateMachineArn": machine_arn, "definition": json.dumps(definition)}
        await self._call("UpdateStateMachine", parameters)

    async def start(self, *, machine_arn: str, name: str, document: dict[str, Any]) -> None:
        """Start the execution of this name, once: a name that is taken counts as accepted."""
        parameters = {"stateMachineArn": machine_arn, "name": name, "input": json.dumps(document)}
        try:
            await self._call("StartExecution", parameters)
        except Refused as refusal:
            if refusal.code != "ExecutionAlreadyExists":
                raise

    async def executions(self, machine_arn: str, *, status: str = "") -> list[str]:
        """ARNs of a machine's executions, newest first; of one status if it is given (RUNNING, FAILED, ...)."""
        wanted = {"statusFilter": status} if status else {}
        parameters: dict[str, Any] = {"stateMachineArn": machine_arn, "maxResults": 1000, **wanted}
        found: list[str] = []
        while True:
            page = await self._call("ListExecutions", parameters)
            found += [execution["executionArn"] for execution in page["executions"]]
            if "nextToken" not in page:
                return found
            parameters["nextToken"] = page["nextToken"]

    async def redrive(self, execution_arn: str) -> None:
        """Run a failed execution again from the state that failed, with its retries counted from zero."""
        await self._call("RedriveExecution", {"executionArn": execution_arn})

    async def describe(self, execution_arn: str) -> dict[str, Any]:
        """Status, error and cause of an execution; an empty object if there is none."""
        try:
            return await self._call("DescribeExecution", {"executionArn": execution_arn})
        except Refused as refusal:
            if refusal.code != "ExecutionDoesNotExist":
                raise
            return {}

    async def history(self, execution_arn: str) -> list[dict[str, Any]]:
        """Every event of an execution, oldest first; `timestamp` in seconds since the epoch."""
        events: list[dict[str, Any]] = []
        parameters: dict[str, Any] = {"executionArn": execution_arn, "maxResults": 1000}
        while True:
            page = await self._call("GetExecutionHistory", parameters)
            events += [
                event | {"timestamp": _seconds(event["timestamp"])} for event in page["events"]
            ]
            if "nextToken" not in page:
                return events
            parameters["nextToken"] = page["nextToken"]


async def check_endpoint(
    url: str,
    *,
    what: str = "Step Functions",
    advice: str = "check --engine, or use --engine inprocess",
) -> None:
    """See something listen at an endpoint. Raise UsageError if nothing does."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        async with asyncio.timeout(DEADLINE_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(
            f"{what} at {parts.hostname} does not answer ({error}): {advice}"
        ) from error
    writer.close()


def _seconds(timestamp: float | datetime) -> float:
    return timestamp.timestamp() if isinstance(timestamp, datetime) else timestamp


@asynccontextmanager
async def boto3_call(endpoint: str) -> AsyncIterator[Call]:
    """A Call through boto3, on a bounded pool of threads."""
    client = open_client("stepfunctions", endpoint, threads=THREADS, keys=UNUSED_KEYS)
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="boto3")

    def request(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = client._make_api_call(action, parameters)
        except ClientError as error:
            found = error.response["Error"]
            raise Refused(found["Code"], found.get("Message", "")) from error
        except EndpointConnectionError as error:
            raise NotDelivered(str(error)) from error
        except BotoCoreError as error:
            raise OutcomeUnknown(str(error)) from error
        answer.pop("ResponseMetadata", None)
        return answer

    async def call(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(
            threads, request, action, parameters
        )

    try:
        yield call
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        client.close()


def direct_call(engine: Callable[[], StepFunctionsEngine]) -> Call:
    """A Call into an engine of this process. `engine` raises NotDelivered while it is down."""

    async def call(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return await actions.call(engine(), action, parameters)
        except ApiError as error:
            raise Refused(error.code, error.message) from error

    return call
