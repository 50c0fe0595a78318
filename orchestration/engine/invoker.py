"""How the engine reaches Lambda functions: the Lambda API's Invoke, over HTTP.

Source: AWS Lambda API reference, Invoke; X-Amz-Function-Error marks an answer that is an error.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson

from orchestration.engine.branch import Invoke
from orchestration.engine.errors import StatesError

_MAX_CONNECTIONS = 256


@asynccontextmanager
async def http_invoker(endpoint: str) -> AsyncIterator[Invoke]:
    """An Invoke that posts to `endpoint`."""
    connector = aiohttp.TCPConnector(limit=_MAX_CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
    ) as session:

        async def invoke(resource: str, payload: str) -> str:
            function = resource.rpartition(":")[2]
            url = f"{endpoint}/2015-03-31/functions/{function}/invocations"
            try:
                async with session.post(url, data=payload.encode()) as answer:
                    body = await answer.text()
                    failed = answer.headers.get("X-Amz-Function-Error")
                    status = answer.status
            except aiohttp.ClientError as error:
                raise StatesError("Lambda.SdkClientException", f"no answer: {error!r}") from error
            if status >= 500:
                raise StatesError("Lambda.ServiceException", body)
            if status >= 400:
                raise StatesError("Lambda.ResourceNotFoundException", body)
            if failed:
                raise function_error(body)
            return body

        yield invoke


def function_error(body: str) -> StatesError:
    """The error that a failed function reports in its answer: errorType is the name, the answer the cause."""
    try:
        name = orjson.loads(body)["errorType"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        name = "Lambda.Unknown"
    return StatesError(name, body)
