"""How the engine reaches Lambda functions: the Lambda API's Invoke, over HTTP.

Source: AWS Lambda API reference, Invoke; X-Amz-Function-Error marks an answer that is an error.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import orjson

from orchestration.engine.branch import Invoke
from orchestration.engine.errors import StatesError
from orchestration.engine.limits import MAX_CONNECTIONS

_REFUSALS = {
    404: "ResourceNotFoundException",
    413: "RequestTooLargeException",
    429: "TooManyRequestsException",
}


@asynccontextmanager
async def http_invoker(endpoint: str, functions: Mapping[str, str] = {}) -> AsyncIterator[Invoke]:
    """An Invoke that posts to `endpoint`, or to a function's own endpoint in `functions`."""
    connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
    ) as session:

        async def invoke(resource: str, payload: str) -> str:
            function, qualifier = function_of(resource)
            url = f"{functions.get(function, endpoint)}/2015-03-31/functions/{function}/invocations"
            query = {"Qualifier": qualifier} if qualifier else None
            try:
                async with session.post(url, params=query, data=payload.encode()) as answer:
                    body = await answer.text()
                    failed = answer.headers.get("X-Amz-Function-Error")
                    kind = answer.headers.get("X-Amzn-ErrorType", "").partition(":")[0]
                    status = answer.status
            except aiohttp.ClientError as error:
                raise StatesError("Lambda.SdkClientException", f"no answer: {error!r}") from error
            except UnicodeDecodeError as error:
                told = f"The function's answer is not UTF-8: {error}"
                raise StatesError("Lambda.Unknown", told) from error
            if status >= 400:
                raise StatesError(f"Lambda.{kind or _refusal(status)}", body)
            if failed:
                raise function_error(body)
            return body or "null"

        yield invoke


def function_of(resource: str) -> tuple[str, str | None]:
    """(name, version or alias) of a function that is told by its ARN, a part of it, or its name."""
    name, _, qualifier = resource.rpartition("function:")[2].partition(":")
    return name, qualifier or None


def _refusal(status: int) -> str:
    """The error of Lambda's Invoke that has this HTTP status."""
    return _REFUSALS.get(status, "ServiceException" if status >= 500 else "AWSLambdaException")


def function_error(body: str) -> StatesError:
    """The error that a failed function reports in its answer: errorType is the name, the answer the cause."""
    try:
        return StatesError(str(orjson.loads(body)["errorType"]), body)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        told = "The cause could not be determined because Lambda did not return an error type."
        return StatesError("Lambda.Unknown", f"{told} Returned payload: {body}")
