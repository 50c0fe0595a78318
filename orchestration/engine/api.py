"""The engine over HTTP: AWS JSON 1.0, so that an unmodified boto3 client works."""

import logging
import re
import uuid

import orjson
from aiohttp import web

from orchestration.engine import actions
from orchestration.engine.callbacks import CLIENT_IS_THERE
from orchestration.engine.errors import ApiError
from orchestration.engine.limits import MAX_REQUEST_BYTES
from orchestration.engine.service import StepFunctionsEngine

_LOG = logging.getLogger(__name__)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
TYPE = "application/x-amz-json-1.0"
_TARGET = "AWSStepFunctions."


def application(engine: StepFunctionsEngine) -> web.Application:
    """The web application that serves one engine at `POST /`."""

    async def serve(request: web.Request) -> web.Response:
        if not _is_for_us(request.host):
            # A page in somebody's browser may send what it likes to loopback, under a name of its own.
            told = f"this engine does not serve the host {request.host!r}"
            return _refusal(ApiError("AccessDeniedException", told, status=403))
        action = request.headers.get("X-Amz-Target", "").removeprefix(_TARGET)
        try:
            body = orjson.loads(await request.read() or b"{}")
            CLIENT_IS_THERE.set(lambda: _is_there(request))
            answer = await actions.call(engine, action, body)
        except orjson.JSONDecodeError as error:
            return _refusal(ApiError("SerializationException", str(error)))
        except web.HTTPRequestEntityTooLarge:
            told = f"a request may have {MAX_REQUEST_BYTES} bytes"
            return _refusal(ApiError("RequestEntityTooLargeException", told, status=413))
        except ApiError as error:
            return _refusal(error)
        except ConnectionError:
            raise  # whoever asked has gone: there is nobody to answer, and nothing to log
        except Exception:
            _LOG.exception("%s failed", action)
            return _refusal(ApiError("InternalServerError", "see the engine's log", status=500))
        return _response(orjson.dumps(answer), status=200)

    served = web.Application(client_max_size=MAX_REQUEST_BYTES)
    served.router.add_post("/", serve)
    return served


def _is_for_us(host: str) -> bool:
    """Whether a request names this machine. boto3 puts `sync-` before the host of StartSyncExecution."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    name = name.strip("[]").lower().removeprefix("sync-")
    return name in LOOPBACK or name.endswith(".localhost")


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _refusal(error: ApiError) -> web.Response:
    answer = _response(
        orjson.dumps({"__type": error.code, "message": error.message}), status=error.status
    )
    answer.headers["x-amzn-errortype"] = error.code
    return answer


def _response(body: bytes, *, status: int) -> web.Response:
    """An answer with the id that SDKs show as RequestId."""
    request_id = {"x-amzn-RequestId": str(uuid.uuid4())}
    return web.Response(status=status, body=body, content_type=TYPE, headers=request_id)
