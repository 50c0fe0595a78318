"""What a style is assembled from for one run, and what comes out of it."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from choreography.rabbit_node import RabbitNode
from scenarios.planned_faults import PlannedFaults
from scenarios.processes import ParticipantProcess, RestartPolicy
from scenarios.soft_wire import SoftWire
from scenarios.tcp_proxy import TcpProxy
from scenarios.troubles import Trouble, common_troubles
from scenarios.wire_faults import UnreliableLink
from shared_domain.guards import Guards
from shared_domain.memory_files import Folder
from shared_domain.participants import Participants, open_participants
from shared_domain.policy import Policy
from shared_domain.ports import Clock, Disturbance, OrderSystem, Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the coordinators of a run live.

    `broker`: "memory", or the AMQP URL of a RabbitMQ server. `node`: that server, if this process may
    kill it. `engine`: "inprocess", "embedded" (a child process), or the URL of a Step Functions endpoint.
    """

    broker: str = "memory"
    node: RabbitNode | None = None
    engine: str = "inprocess"

    @property
    def pair(self) -> str:
        """`embedded`, `real`, or `mixed`: latency is compared within the first two only."""
        if self.broker == "memory" and self.engine == "inprocess":
            return "embedded"
        return "real" if self.broker != "memory" and self.engine == "embedded" else "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything a style is assembled from, for one run.

    `processes`: whether each participant has a process of its own. `cuttable`: whether each participant's wire to the coordinator must be one that can be cut.
    """

    folder: Folder
    run_id: str
    backends: Backends
    step_order: str
    durability: str
    policy: Policy
    guards: Guards
    participants: Participants
    faults: PlannedFaults
    tracer: Tracer
    clock: Clock
    processes: bool
    cuttable: bool
    restart: RestartPolicy
    entropy: Callable[[int], bytes]

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Folder,
        *,
        run_id: str,
        backends: Backends,
        step_order: str,
        durability: str,
        policy: Policy,
        guards: Guards,
        faults: PlannedFaults,
        tracer: Tracer,
        clock: Clock,
        processes: bool = False,
        cuttable: bool = False,
        restart: RestartPolicy | None = None,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> AsyncIterator[Self]:
        """A setting over the participants' databases in `folder`, which are open as long as the context is."""
        opening = open_participants(
            folder,
            policy=policy,
            guards=guards,
            faults=faults,
            tracer=tracer,
            clock=clock,
            durability=durability,
        )
        async with opening as participants:
            yield cls(
                folder=folder,
                run_id=run_id,
                backends=backends,
                step_order=step_order,
                durability=durability,
                policy=policy,
                guards=guards,
                participants=participants,
                faults=faults,
                tracer=tracer,
                clock=clock,
                processes=processes,
                cuttable=cuttable,
                restart=restart or RestartPolicy(),
                entropy=entropy,
            )

    @property
    def disk(self) -> Path:
        """The folder, for those who need one on a disk: other processes."""
        assert isinstance(self.folder, Path)
        return self.folder

    @property
    def prefix(self) -> str:
        """Of every queue of the run."""
        return f"saga.{self.run_id}"

    def services(
        self, *, answers_return: bool, wires: Mapping[str, SoftWire] = {}
    ) -> dict[str, UnreliableLink]:
        """The participants' doors, behind the network that the fault plan disturbs. See UnreliableLink."""
        return {
            name: UnreliableLink(
                door,
                self.faults,
                self.clock,
                answers_return=answers_return,
                wire=wires.get(name),
            )
            for name, door in self.participants.doors.items()
        }

    def soft_wires(self) -> dict[str, SoftWire]:
        """A wire for each participant that shares a process with its coordinator, if any is to be cut."""
        return {name: SoftWire() for name in self.participants.doors} if self.cuttable else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A running system, and what can be done to its parts (None or nothing = not from here).

    `forget`: makes the coordinator lose all that it knows of an order, where that is not done on the wire.
    `wires`: participant -> its wire to the coordinator. `processes`: participant -> its own process.
    `troubles`: what only this style's coordinator can do to its clients.
    """

    system: OrderSystem
    coordinator: Disturbance | None
    forget: Callable[[str], Awaitable[None]] | None = None
    wires: Mapping[str, TcpProxy | SoftWire] = field(default_factory=dict)
    processes: Mapping[str, ParticipantProcess] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def troubles_of(assembled: Assembled) -> dict[str, Trouble]:
    """Name -> trouble, of all that can be brought about in this system."""
    common = common_troubles(assembled.coordinator, assembled.wires, assembled.processes)
    return {**common, **assembled.troubles}


async def open_wires(
    stack: AsyncExitStack, targets: Mapping[str, tuple[str | None, int]]
) -> dict[str, TcpProxy]:
    """A wire that can be cut for each participant, to (host, port)."""
    return {
        name: await stack.enter_async_context(TcpProxy.open(host=host or "127.0.0.1", port=port))
        for name, (host, port) in targets.items()
    }
