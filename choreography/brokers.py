"""The one place in which brokers are registered: what `--broker` takes, and what is behind it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from choreography.rabbit_node import RabbitNode

Private = Callable[[Path | None], AbstractAsyncContextManager[RabbitNode]]
"""(folder of its data, None = they are lost at the end) -> a server of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerKind:
    """One kind of broker.

    `opened`: module:function that opens it for a run; see scenarios/styles/on_memory.py. `schemes`: of the addresses of a server of
    the user's own, () = there is none. `embedded`: whether it is a part of this process. `private`: starts a server of our own.
    """

    name: str
    words: str
    opened: str
    schemes: tuple[str, ...] = ()
    embedded: bool = False
    private: Private | None = None

    def open(self) -> Any:
        """What opens it for a run."""
        module, _, function = self.opened.partition(":")
        return getattr(import_module(module), function)


KINDS = (
    BrokerKind(
        name="memory",
        words="the embedded broker",
        opened="scenarios.styles.on_memory:on_memory",
        embedded=True,
    ),
    BrokerKind(
        name="rabbitmq",
        words="a private RabbitMQ node",
        opened="scenarios.styles.on_rabbitmq:on_rabbitmq",
        schemes=("amqp", "amqps"),
        private=RabbitNode.open,
    ),
)


def kind_of(address: str) -> BrokerKind | None:
    """The kind of a name or of an address; None if there is none."""
    scheme, separator, _ = address.partition("://")
    return next(
        (k for k in KINDS if (scheme in k.schemes if separator else address == k.name)), None
    )
