"""The backends of a run: chosen by the user, opened here."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from choreography.brokers import kind_of
from kernel.loading import DEFAULT
from scenarios.runs.environment import Backends
from scenarios.styles.index import STYLES

SERVER_DATA = ".server-"
"""What the name of a folder with a private server's data begins with."""


@asynccontextmanager
async def open_backends(
    broker: str, engine: str, *, home: Path | None = None
) -> AsyncIterator[Backends]:
    """The chosen backends; a private server is started, and stopped at the end.

    `broker`: a name or an address; see choreography/brokers.py. `engine`: "inprocess", "embedded", or a URL.
    `home`: a folder in which a private server's data stay if the work is interrupted; None = they are lost.
    """
    kind = kind_of(broker)
    if kind is None or kind.private is None or broker != kind.name:
        yield Backends(broker=broker, engine=engine)
        return
    data = None if home is None else _new_data(home)
    try:
        async with kind.private(data) as node:
            yield Backends(broker=node.url, node=node, engine=engine)
    except asyncio.CancelledError:
        data = None  # somebody may want to resume
        raise
    finally:
        if data is not None:
            shutil.rmtree(data, ignore_errors=True)


def _new_data(home: Path) -> Path:
    data = home / f"{SERVER_DATA}{secrets.token_hex(3)}"
    data.mkdir(parents=True)
    return data


def as_options(broker: str, engine: str) -> str:
    """The options that choose these backends again. The address of a broker is left to SAGA_AMQP_URL: it may hold a password."""
    return f"--broker {'auto' if '://' in broker else broker} --engine {engine}"


def which_options(styles: list[str], saga: str) -> list[str]:
    """The options that choose these styles and this saga again; none for what is the default."""
    chosen = [] if styles == list(STYLES) else [f"--style {','.join(styles)}"]
    return chosen + ([] if saga == DEFAULT else [f"--saga {saga}"])
