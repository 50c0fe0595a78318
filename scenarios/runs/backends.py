"""The backends of a run: chosen by the user, opened here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from choreography.brokers import kind_of
from kernel.loading import DEFAULT
from scenarios.runs.environment import Backends
from scenarios.styles.index import STYLES


@asynccontextmanager
async def open_backends(broker: str, engine: str) -> AsyncIterator[Backends]:
    """The chosen backends; a private server is started, and stopped at the end.

    `broker`: a name or an address; see choreography/brokers.py. `engine`: "inprocess", "embedded", or a URL.
    """
    kind = kind_of(broker)
    if kind is not None and kind.private is not None and broker == kind.name:
        async with kind.private() as node:
            yield Backends(broker=node.url, node=node, engine=engine)
    else:
        yield Backends(broker=broker, engine=engine)


def as_options(broker: str, engine: str) -> str:
    """The options that choose these backends again. The address of a broker is left to SAGA_AMQP_URL: it may hold a password."""
    return f"--broker {'auto' if '://' in broker else broker} --engine {engine}"


def which_options(styles: list[str], saga: str) -> list[str]:
    """The options that choose these styles and this saga again; none for what is the default."""
    chosen = [] if styles == list(STYLES) else [f"--style {','.join(styles)}"]
    return chosen + ([] if saga == DEFAULT else [f"--saga {saga}"])
