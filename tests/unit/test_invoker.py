"""How a function is named, and what the engine makes of Lambda's refusals."""

import pytest
from aiohttp import web

from kernel.child import free_port
from orchestration.engine.errors import StatesError
from orchestration.engine.invoker import function_of, http_invoker

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


@pytest.mark.parametrize(
    ("resource", "function"),
    [
        ("f", ("f", None)),
        ("f:PROD", ("f", "PROD")),
        (ARN + "f", ("f", None)),
        (ARN + "f:$LATEST", ("f", "$LATEST")),
        ("000000000000:function:f:7", ("f", "7")),
    ],
)
def test_a_function_is_named_with_or_without_a_qualifier(resource, function):
    assert function_of(resource) == function


@pytest.fixture
async def lambdas():
    """(an Invoke, what was asked for, the answer to give)."""
    asked, answer = [], {}

    async def serve(request):
        asked.append((request.match_info["name"], dict(request.query)))
        return web.Response(**answer)

    application = web.Application()
    application.router.add_post("/2015-03-31/functions/{name}/invocations", serve)
    runner, port = web.AppRunner(application), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with http_invoker(f"http://127.0.0.1:{port}") as invoke:
        yield invoke, asked, answer
    await runner.cleanup()


async def test_a_qualifier_goes_to_lambda_as_a_parameter(lambdas):
    invoke, asked, answer = lambdas
    answer["text"] = "1"
    assert [await invoke(ARN + name, "{}") for name in ("f", "f:PROD")] == ["1", "1"]
    assert asked == [("f", {}), ("f", {"Qualifier": "PROD"})]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 404}, "Lambda.ResourceNotFoundException"),
        ({"status": 429}, "Lambda.TooManyRequestsException"),
        ({"status": 500}, "Lambda.ServiceException"),
        ({"status": 400}, "Lambda.AWSLambdaException"),
        ({"status": 400, "headers": {"X-Amzn-ErrorType": "InvalidRuntimeException:http://x"}}, "Lambda.InvalidRuntimeException"),
        ({"text": '{"errorMessage":"gone"}', "headers": {"X-Amz-Function-Error": "Unhandled"}}, "Lambda.Unknown"),
        ({"text": '{"errorType":"Mine"}', "headers": {"X-Amz-Function-Error": "Unhandled"}}, "Mine"),
    ],
)  # fmt: skip
async def test_a_refusal_of_lambda_has_its_name(lambdas, answer, error):
    invoke, _, given = lambdas
    given.update(answer)
    with pytest.raises(StatesError) as raised:
        await invoke("f", "{}")
    assert raised.value.error == error


async def test_an_answer_that_is_no_text_is_an_error_that_can_be_caught(lambdas):
    invoke, _, answer = lambdas
    answer.update(body=b'"\xff\xfe"', content_type="application/json", charset="utf-8")
    with pytest.raises(StatesError, match="not UTF-8"):
        await invoke(ARN + "f", "{}")
