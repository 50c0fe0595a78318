"""What the user and the environment choose: backends, styles, scenarios, plans."""

import json
import os
from pathlib import Path

from choreography.brokers import KINDS, kind_of
from choreography.rabbit_connection import AMQP_VARIABLE, check_server
from choreography.rabbit_node import find_server
from kernel.errors import UsageError, nearest
from kernel.policy import Policy
from kernel.saga import Saga
from orchestration.step_functions import check_endpoint
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import FaultPlan
from scenarios.runs.scenario import Scenario
from scenarios.styles.index import STYLES


def choose_broker(wanted: str) -> str:
    """`memory`, `rabbitmq` (a private node), or an AMQP URL. Raise UsageError for anything else."""
    if wanted == "auto":
        if url := os.environ.get(AMQP_VARIABLE):
            return choose_broker(url)
        return "rabbitmq" if find_server() else "memory"
    if kind_of(wanted):
        return wanted
    names = ", ".join(kind.name for kind in KINDS)
    raise UsageError(f"unknown broker {wanted!r}: use auto, {names} or amqp://host:port/")


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


def check_processes(broker: str, engine: str, option: str) -> None:
    """Raise UsageError if participants or customers cannot have processes of their own over these backends, as `option` wants."""
    if broker == "memory" or engine == "inprocess":
        raise UsageError(
            f"{option} needs the real pair, which other processes can reach: install rabbitmq-server,"
            " or give --broker amqp://... and --engine embedded"
        )


def check_policy(policy: Policy) -> None:
    """Raise UsageError if a saga's deadline passes before one step's does."""
    if policy.saga_deadline_s <= policy.step_deadline_s:
        raise UsageError(
            f"--saga-deadline {policy.saga_deadline_s:g} is not longer than --step-deadline"
            f" {policy.step_deadline_s:g}: no step could be retried before the saga expires"
        )


def choose_styles(text: str) -> list[str]:
    """Names of styles from `both` or a list with commas."""
    names = list(STYLES) if text == "both" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in STYLES:
            raise UsageError(
                f"unknown style {name!r}{nearest(name, STYLES)}: use both, or {', '.join(STYLES)}"
            )
    return names


def choose_scenarios(saga: Saga, names: list[str]) -> list[Scenario]:
    """Scenarios of a saga by name; `all` is all of them."""
    known = scenarios_of(saga)
    if names == ["all"]:
        return list(known.values())
    for name in names:
        if name not in known:
            raise UsageError(
                f"unknown scenario {name!r}{nearest(name, known)}: saga list shows them"
            )
    return [known[name] for name in names]


def choose_variant(saga: Saga, name: str) -> str:
    """A variant of a saga; "" = its first. Raise UsageError if there is none of this name."""
    if name and name not in saga.variants:
        raise UsageError(
            f"unknown step order {name!r}{nearest(name, saga.variants)}: use {' or '.join(saga.variants)}"
        )
    return name or saga.variant


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def read_plan(path: Path | None, saga: Saga) -> FaultPlan:
    """The user's fault plan. Raise UsageError if it cannot be read, is malformed, or is for another saga."""
    if path is None:
        return FaultPlan()
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_no_number)
        return FaultPlan.from_json(document).check(saga)
    except OSError as error:
        raise UsageError(f"the fault plan {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the fault plan {path} is not JSON: {error}") from error
