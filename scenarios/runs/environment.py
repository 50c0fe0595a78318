"""What a style is running_system from for one run, and what comes out of it."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from choreography.brokers import BrokerKind, kind_of
from choreography.rabbit_node import Node
from kernel.environment import Environment
from kernel.memory_files import Folder
from kernel.participants import Participants, open_participants
from kernel.ports import Disturbance, SagaSystem
from scenarios.faults.nemesis import Trouble, common_troubles
from scenarios.faults.network import UnreliableLink
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.soft_wire import SoftWire
from scenarios.faults.tcp_proxy import TcpProxy
from scenarios.runs.processes import ParticipantProcess, RestartPolicy


class Machine(Protocol):
    """Where the processes of a run's coordinators are, if that is not this machine."""

    def free_port(self) -> int:
        """A TCP port on loopback that nobody listens on."""
        ...

    def engine(
        self,
        environment: "RunEnvironment",
        *,
        lambda_endpoint: str,
        functions: Mapping[str, str],
    ) -> "EngineHost":
        """The embedded engine, not started yet. `functions`: see EngineProcess."""
        ...


class EngineHost(Disturbance, Protocol):
    """The embedded engine as a process of its own."""

    @property
    def endpoint(self) -> str:
        """Where a Step Functions client finds it."""
        ...

    async def spawn(self) -> None:
        """Start it without waiting for it."""
        ...

    async def ready(self) -> None:
        """Return when it serves."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the coordinators of a run live.

    `broker`: "memory", or the AMQP URL of a RabbitMQ server. `node`: that server, if this process may
    kill it. `engine`: "inprocess", "embedded" (a child process), or the URL of a Step Functions endpoint.
    `machine`: where such processes are, None = here.
    """

    broker: str = "memory"
    node: Node | None = None
    engine: str = "inprocess"
    machine: Machine | None = None

    @property
    def broker_kind(self) -> str:
        """The broker without its address."""
        return self._kind.name

    @property
    def pair(self) -> str:
        """`embedded`, `real`, or `mixed`: latency is compared within the first two only."""
        if self._kind.embedded and self.engine == "inprocess":
            return "embedded"
        return "real" if not self._kind.embedded and self.engine == "embedded" else "mixed"

    @property
    def _kind(self) -> BrokerKind:
        kind = kind_of(self.broker)
        assert kind is not None
        return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnvironment:
    """Everything a style is running_system from, for one run.

    `processes`: whether each participant has a process of its own. `cuttable`: whether each participant's wire to the coordinator must be one that can be cut.
    `resting`: nobody works, there is only something to look at. `keeps`: whether what is in the coordinator is to stay at the end.
    """

    folder: Folder
    run_id: str
    backends: Backends
    core: Environment
    faults: PlannedFaults
    participants: Participants
    processes: bool
    cuttable: bool
    restart: RestartPolicy
    entropy: Callable[[int], bytes]
    resting: bool
    keeps: Callable[[], bool]

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Folder,
        core: Environment,
        *,
        run_id: str,
        backends: Backends,
        faults: PlannedFaults,
        processes: bool = False,
        cuttable: bool = False,
        restart: RestartPolicy | None = None,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        resting: bool = False,
        keeps: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator[Self]:
        """Over the participants' databases in `folder`, which are open as long as the context is."""
        async with open_participants(folder, core) as participants:
            yield cls(
                folder=folder,
                run_id=run_id,
                backends=backends,
                core=core,
                faults=faults,
                participants=participants,
                processes=processes,
                cuttable=cuttable,
                restart=restart or RestartPolicy(),
                entropy=entropy,
                resting=resting,
                keeps=keeps,
            )

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the participants."""
        return self.core.saga.services

    @property
    def disk(self) -> Path:
        """The folder, for those who need one on a disk: other processes."""
        assert isinstance(self.folder, Path)
        return self.folder

    @property
    def prefix(self) -> str:
        """Of every queue of the run."""
        return f"saga.{self.run_id}"

    def links(
        self, *, answers_return: bool, wires: Mapping[str, SoftWire] = {}
    ) -> dict[str, UnreliableLink]:
        """The participants, behind the network that the fault plan disturbs. See UnreliableLink. None while they rest."""
        working = {} if self.resting else self.participants.by_name
        return {
            name: UnreliableLink(
                participant,
                self.faults,
                self.core.clock,
                answers_return=answers_return,
                wire=wires.get(name),
            )
            for name, participant in working.items()
        }

    def soft_wires(self) -> dict[str, SoftWire]:
        """A wire for each participant that shares a process with its coordinator, if any is to be cut."""
        return {name: SoftWire() for name in self.participants.by_name} if self.cuttable else {}


async def _nothing() -> list[str]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSystem:
    """A running system, and what can be done to its parts (None or nothing = not from here).

    `forget`: makes the coordinator lose all that it knows of an order, where that is not done on the wire.
    `wires`: participant -> its wire to the coordinator. `processes`: participant -> its own process.
    `entrance`: the environment variables by which customers in a process of their own find it. `troubles`: what only this style's coordinator can do to its clients. `explain`: what the coordinator's surroundings have
    done to a run that did not end as expected, one line each.
    """

    system: SagaSystem
    coordinator: Disturbance | None
    forget: Callable[[str], Awaitable[None]] | None = None
    wires: Mapping[str, TcpProxy | SoftWire] = field(default_factory=dict)
    processes: Mapping[str, ParticipantProcess] = field(default_factory=dict)
    entrance: Mapping[str, str] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    explain: Callable[[], Awaitable[list[str]]] = _nothing


def troubles_of(running_system: RunningSystem) -> dict[str, Trouble]:
    """Name -> trouble, of all that can be brought about in this system."""
    common = common_troubles(
        running_system.coordinator, running_system.wires, running_system.processes
    )
    return {**common, **running_system.troubles}


async def open_wires(
    stack: AsyncExitStack, targets: Mapping[str, tuple[str | None, int]]
) -> dict[str, TcpProxy]:
    """A wire that can be cut for each participant, to (host, port)."""
    return {
        name: await stack.enter_async_context(TcpProxy.open(host=host or "127.0.0.1", port=port))
        for name, (host, port) in targets.items()
    }
