"""How the engine reaches other AWS services: boto3, on threads, at endpoints of the user's choice.

Source: botocore's service models; AWS SDK for Java, whose exceptions Step Functions' errors are named after.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from kernel.errors import UsageError
from orchestration.boto3_client import UNUSED_KEYS, is_loopback, open_client
from orchestration.engine.branch import ServiceCall
from orchestration.engine.errors import StatesError
from orchestration.engine.integrations import (
    SDK_CLIENT_EXCEPTION,
    SERVICES,
    Service,
    unreachable,
)
from orchestration.engine.limits import MAX_SERVICE_CALLS


def parse_services(endpoints: Mapping[str, str]) -> dict[str, str]:
    """The services that have an endpoint, "" = none. Raise UsageError for one that is no URL."""
    for name, endpoint in endpoints.items():
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise UsageError(f"--{name}-endpoint {endpoint!r} is not http://host:port")
    return {name: endpoint.rstrip("/") for name, endpoint in endpoints.items() if endpoint}


@asynccontextmanager
async def http_services(endpoints: Mapping[str, str]) -> AsyncIterator[ServiceCall]:
    """A ServiceCall to `endpoints`: service -> http(s)://host:port. Beyond loopback with the keys that boto3 finds."""
    clients = {
        name: open_client(
            name, url, threads=MAX_SERVICE_CALLS, keys=UNUSED_KEYS if is_loopback(url) else {}
        )
        for name, url in endpoints.items()
    }
    threads = ThreadPoolExecutor(MAX_SERVICE_CALLS, thread_name_prefix="services")

    async def call(name: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if name not in clients:
            raise unreachable(name)
        return await asyncio.get_running_loop().run_in_executor(
            threads, _requested, clients[name], name, action, parameters
        )

    try:
        yield call
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for client in clients.values():
            client.close()


def _requested(client: Any, name: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    service, operation = SERVICES[name], action[0].upper() + action[1:]
    model = client.meta.service_model.operation_model(operation)
    try:
        answer = client._make_api_call(operation, _with_bytes(parameters, model.input_shape))
    except ClientError as error:
        raise _refused(service, model, error.response) from error
    except ParamValidationError as error:
        raise StatesError(f"{service.errors}.{service.invalid}", str(error)) from error
    except (BotoCoreError, ValueError) as error:
        told = f"Unable to execute HTTP request: {error}"
        raise StatesError(f"{service.errors}.{SDK_CLIENT_EXCEPTION}", told) from error
    metadata = answer.pop("ResponseMetadata")
    result: dict[str, Any] = _as_json(answer)
    return result if name == "events" else result | _sdk_metadata(metadata)


def _refused(service: Service, model: Any, response: dict[str, Any]) -> StatesError:
    """What the service said, under the name of the SDK's exception."""
    found, metadata = response["Error"], response["ResponseMetadata"]
    code, told = found.get("Code", ""), found.get("Message", "")
    known = {
        name: shape.name
        for shape in model.error_shapes
        for name in (shape.name, shape.metadata.get("error", {}).get("code", shape.name))
    }
    # A service that once spoke another protocol answers with its old code; boto3 keeps the shape's name beside it.
    name = known.get(found.get("QueryErrorCode", code), service.other)
    if not name.endswith("Exception"):
        name += "Exception"
    where = f"Service: {service.api}; Status Code: {metadata['HTTPStatusCode']}; Error Code: {code}"
    cause = f"{told} ({where}; Request ID: {metadata.get('RequestId')}; Proxy: null)"
    return StatesError(f"{service.errors}.{name}", cause)


def _sdk_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    headers = dict(metadata.get("HTTPHeaders", {}))
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": metadata["HTTPStatusCode"],
        },
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId")},
    }


def _with_bytes(value: Any, shape: Any) -> Any:
    """Parameters for boto3: JSON has base64 where the API has bytes. What does not fit its shape is left as it is."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {k: _with_bytes(v, members[k]) if k in members else v for k, v in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {k: _with_bytes(v, shape.value) for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_with_bytes(item, shape.member) for item in value]
    if shape.type_name == "blob" and isinstance(value, str):
        return base64.b64decode(value, validate=True)
    return value


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value
