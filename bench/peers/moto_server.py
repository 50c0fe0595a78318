"""moto's Step Functions in a process of its own: the interpreter of LocalStack, kept in memory only.

It writes nothing to disk and starts a thread per execution. Its Lambda tasks go where they are told: to the same
functions as those of the embedded engine, or to moto's own Lambda (the one without Docker), which answers with the
payload.
"""

import asyncio
import importlib.util
import io
import os
import signal
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import boto3

from kernel import child
from kernel.errors import UsageError

START_S = 60.0
_CONFIGURATION = {
    "stepfunctions": {"execute_state_machine": True},
    "lambda": {"use_docker": False},
}
_TRUST = (
    '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},'
    ' "Action": "sts:AssumeRole"}]}'
)


@asynccontextmanager
async def moto_server(folder: Path, *, lambda_endpoint: str | None = None) -> AsyncIterator[str]:
    """Its endpoint, while it runs; its log is in `folder`. `lambda_endpoint` None: its own Lambda.

    Raise UsageError if it is not installed or does not start.
    """
    if importlib.util.find_spec("moto") is None:
        raise UsageError("moto is not installed here: run `make .venv/dev`")
    port, log = child.free_port(), folder / "moto.log"
    # moto's state machines look for Lambda on the port that MOTO_PORT names.
    environment = os.environ | {
        "MOTO_PORT": str(urlsplit(lambda_endpoint).port if lambda_endpoint else port)
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = await child.start(command, log=log, environment=environment)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        await _configure(endpoint, process, log)
        yield endpoint
    finally:
        await child.end(process, with_signal=signal.SIGTERM)


async def _configure(endpoint: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(
                    f"{endpoint}/moto-api/config", json=_CONFIGURATION
                ) as answer:
                    answer.raise_for_status()
                    return
            except aiohttp.ClientConnectionError:
                if process.returncode is not None:
                    raise UsageError(f"moto did not start: see {log}") from None
                await asyncio.sleep(0.05)


def make_function(endpoint: str, name: str) -> str:
    """Make a function in moto's own Lambda; its ARN."""
    session = boto3.Session(
        aws_access_key_id="unused",
        aws_secret_access_key="unused",  # noqa: S106
        region_name="us-east-1",
    )
    iam, functions = (session.client(s, endpoint_url=endpoint) for s in ("iam", "lambda"))
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("code.py", "")
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role,
        Handler="code.run",
        Code={"ZipFile": archive.getvalue()},
    )
    return str(made["FunctionArn"])
