"""Policies that operators of a RabbitMQ server have set, and which of them can take messages from a run.

AMQP does not show them: a private node is asked with rabbitmqctl, another server over its management API, if that is on.
"""

import asyncio
import base64
import json
import re
import ssl
from collections.abc import Collection
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from aio_pika.connection import make_url

from choreography.rabbit_node import Node

KINDS = "policies", "operator-policies"
MANAGEMENT_PORTS = {"amqp": 15672, "amqps": 15671}
"""Where a server's management API listens, unless it is configured otherwise."""
ANSWER_S = 2.0
"""Longest wait for the management API."""
TAKING = "max-length", "max-length-bytes", "message-ttl", "expires", "delivery-limit"
"""What of a policy takes messages out of a queue that nobody has handled."""

Policies = list[list[dict[str, Any]]]
"""The policies, and the operator's: name, pattern, apply-to, priority, definition."""


async def policies_of_node(node: Node) -> Policies:
    """Those of a private node. Raise UsageError if it does not answer."""
    listed = []
    for kind in KINDS:
        rows = json.loads(
            await node.control(f"list_{kind.replace('-', '_')}", "--formatter", "json")
        )
        listed.append([row | {"definition": json.loads(row["definition"])} for row in rows])
    return listed


async def policies_of_server(url: str, *, port: int | None = None) -> Policies:
    """Those of the virtual host of an AMQP URL, with its user and password; none if the management API is off."""
    return await asyncio.to_thread(_asked, url, port)


def takes_messages(policies: Policies, queues: Collection[str]) -> list[str]:
    """One line for each policy in force on some of these queues that can take messages out of them."""
    lines = []
    for listed in policies:
        matched: dict[str, list[str]] = {}
        for queue in queues:
            fitting = [
                policy
                for policy in listed
                if policy["apply-to"] != "exchanges" and re.search(policy["pattern"], queue)
            ]
            if fitting:
                strongest = max(fitting, key=lambda policy: int(policy["priority"]))
                matched.setdefault(strongest["name"], []).append(queue)
        for policy in listed:
            takes = [
                f"{key} {policy['definition'][key]}"
                for key in TAKING
                if key in policy["definition"]
            ]
            if takes and (mine := matched.get(policy["name"])):
                lines.append(
                    f"the policy {policy['name']!r} of the RabbitMQ server ({', '.join(takes)}) applies to {len(mine)}"
                    f" queues of this run ({mine[0]}) and can take messages out of them"
                )
    return lines


def _asked(url: str, port: int | None) -> Policies:
    address = make_url(url)
    secure = address.scheme == "amqps"
    host = f"[{address.host}]" if ":" in (address.host or "") else address.host
    root = f"http{'s' * secure}://{host}:{port or MANAGEMENT_PORTS[address.scheme]}/api"
    handlers: list[Any] = [ProxyHandler({})]
    if secure:
        context = ssl.create_default_context(cafile=address.query.get("cafile"))
        handlers.append(HTTPSHandler(context=context))
    opener = build_opener(*handlers)
    login = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
    vhost = quote(address.path.removeprefix("/") or "/", safe="")
    listed = []
    for kind in KINDS:
        request = Request(f"{root}/{kind}/{vhost}", headers={"Authorization": f"Basic {login}"})  # noqa: S310
        try:
            with opener.open(request, timeout=ANSWER_S) as answer:
                listed.append(json.load(answer))
        except (URLError, OSError, ValueError):
            return []
    return listed
