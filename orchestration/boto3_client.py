"""One way to make a boto3 client: for the engine, and for what its state machines call."""

from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from orchestration.engine.task_events import REGION

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DEADLINE_S = 10.0
UNUSED_KEYS: dict[str, Any] = {"aws_access_key_id": "unused", "aws_secret_access_key": "unused"}
"""Who serves a loopback endpoint checks no signature, but boto3 does not send a request without one."""


def open_client(service: str, endpoint: str, *, threads: int, keys: dict[str, Any]) -> Any:
    """A client of an AWS service at an endpoint, for as many `threads`. One attempt a call: retries are its user's.

    `keys`: {} = where boto3 looks for them.
    """
    loopback = is_loopback(endpoint)
    # LOOK: on loopback neither the user's AWS profile, which may not be there, nor a proxy, which cannot reach it.
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session = boto3.Session(
        region_name=REGION if loopback else None, botocore_session=core if loopback else None
    )
    return session.client(
        service,
        endpoint_url=endpoint,
        region_name=session.region_name or REGION,
        **keys,
        config=Config(
            connect_timeout=DEADLINE_S,
            read_timeout=DEADLINE_S,
            max_pool_connections=threads,
            retries={"total_max_attempts": 1},
            inject_host_prefix=False,  # AWS has a host sync-states...; loopback has none
            proxies={} if loopback else None,
        ),
    )


def is_loopback(endpoint: str) -> bool:
    """Whether an endpoint is on this machine."""
    return urlsplit(endpoint).hostname in LOOPBACK
