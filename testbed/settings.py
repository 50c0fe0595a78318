"""What the user and the environment choose: backends, styles, scenarios, plans."""

import json
import os
from pathlib import Path

from choreography.rabbit_connection import AMQP_VARIABLE, check_server
from choreography.rabbit_node import find_server
from orchestration.step_functions import check_endpoint
from report.page import FORMATS
from scenarios.catalog.index import SCENARIOS
from scenarios.fault_plan import FaultPlan
from scenarios.scenario import Scenario
from scenarios.systems import STYLES
from shared_domain.errors import UsageError


def choose_broker(wanted: str) -> str:
    """`memory`, `rabbitmq` (a private node), or an AMQP URL. Raise UsageError for anything else."""
    if wanted == "auto":
        if url := os.environ.get(AMQP_VARIABLE):
            return choose_broker(url)
        return "rabbitmq" if find_server() else "memory"
    if wanted in ("memory", "rabbitmq") or wanted.startswith(("amqp://", "amqps://")):
        return wanted
    raise UsageError(f"unknown broker {wanted!r}: use auto, memory, rabbitmq or amqp://host:port/")


def choose_engine(wanted: str, broker: str) -> str:
    """`inprocess`, `embedded`, or a URL. `auto` follows the broker, so that the pair is comparable."""
    if wanted == "auto":
        return "inprocess" if broker == "memory" else "embedded"
    if wanted in ("inprocess", "embedded") or wanted.startswith(("http://", "https://")):
        return wanted
    raise UsageError(
        f"unknown engine {wanted!r}: use auto, inprocess, embedded or http://host:port"
    )


async def check_backends(broker: str, engine: str) -> None:
    """Raise UsageError if a backend of the user's own does not answer."""
    if broker.startswith("amqp"):
        await check_server(broker)
    if engine.startswith("http"):
        await check_endpoint(engine)


async def check_otlp(url: str) -> None:
    """Raise UsageError if no OTLP endpoint can be there; "" is none."""
    if not url:
        return
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            "--otlp is the URL of an OTLP endpoint over HTTP: http://host:4318/v1/traces"
        )
    await check_endpoint(url, what="OTLP", advice="check --otlp, or leave it out")


def choose_formats(text: str) -> list[str]:
    """Names of report formats from a list with commas."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}: use {', '.join(FORMATS)}")
    return names


def check_processes(broker: str, engine: str) -> None:
    """Raise UsageError if participants cannot have processes of their own over these backends."""
    if broker == "memory" or engine == "inprocess":
        raise UsageError(
            "--processes needs the real pair, which other processes can reach: install rabbitmq-server,"
            " or give --broker amqp://... and --engine embedded"
        )


def choose_styles(text: str) -> list[str]:
    """Names of styles from `both` or a list with commas."""
    names = list(STYLES) if text == "both" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in STYLES:
            raise UsageError(f"unknown style {name!r}: use both, or {', '.join(STYLES)}")
    return names


def choose_scenarios(names: list[str]) -> list[Scenario]:
    """Stories of the catalog by name; `all` is all of them."""
    if names == ["all"]:
        return list(SCENARIOS.values())
    for name in names:
        if name not in SCENARIOS:
            raise UsageError(f"unknown scenario {name!r}: saga list shows them")
    return [SCENARIOS[name] for name in names]


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def read_plan(path: Path | None) -> FaultPlan:
    """The user's fault plan. Raise UsageError if it cannot be read or is malformed."""
    if path is None:
        return FaultPlan()
    try:
        text = path.read_text(encoding="utf-8")
        return FaultPlan.from_json(json.loads(text, parse_constant=_no_number))
    except OSError as error:
        raise UsageError(f"the fault plan {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the fault plan {path} is not JSON: {error}") from error
