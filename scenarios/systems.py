"""The one file that names both styles: how each is assembled over the backends of a run."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from choreography import memory_broker
from choreography.broker import Broker
from choreography.memory_broker import MemoryBroker
from choreography.rabbit_broker import RabbitBroker
from choreography.system import ChoreographedSystem, topology
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import Call, StepFunctions, boto3_call, direct_call
from orchestration.system import OrchestratedSystem
from orchestration.tasks import in_process_invoker, serve_functions, workers
from scenarios.fault_plan import PlannedFaults
from scenarios.wire_faults import UnreliableBroker, UnreliableLink
from shared_domain.child import free_port
from shared_domain.database import Database
from shared_domain.guards import Guards
from shared_domain.participants import Participants
from shared_domain.policy import Policy
from shared_domain.ports import Clock, Disturbance, OrderSystem, Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the coordinators of a run live.

    `broker`: "memory", or the AMQP URL of a RabbitMQ server. `node`: that server, if this process may
    kill it. `engine`: "inprocess", "embedded" (a child process), or the URL of a Step Functions endpoint.
    """

    broker: str = "memory"
    node: Disturbance | None = None
    engine: str = "inprocess"

    @property
    def pair(self) -> str:
        """`embedded`, `real`, or `mixed`: latency is compared within the first two only."""
        if self.broker == "memory" and self.engine == "inprocess":
            return "embedded"
        return "real" if self.broker != "memory" and self.engine == "embedded" else "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything a style is assembled from, for one run."""

    folder: Path
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

    def services(self) -> dict[str, UnreliableLink]:
        """The participants' doors, behind the network that the fault plan disturbs."""
        doors = self.participants.doors
        return {n: UnreliableLink(door, self.faults, self.clock) for n, door in doors.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A running system, and what can be done to its coordinator (None = nothing from here)."""

    system: OrderSystem
    coordinator: Disturbance | None
    notes: list[str] = field(default_factory=list)


@asynccontextmanager
async def choreography(setting: Setting) -> AsyncIterator[Assembled]:
    """Services that react to each other's events."""
    queues = topology(
        prefix=f"saga.{setting.run_id}", step_order=setting.step_order, policy=setting.policy
    )
    confirms, durability = setting.guards.confirms, setting.durability
    async with AsyncExitStack() as stack:
        broker: Broker
        coordinator: Disturbance | None
        if setting.backends.broker == "memory":
            journal = await stack.enter_async_context(
                Database.open(
                    setting.folder / "broker.sqlite",
                    schema=memory_broker.SCHEMA,
                    durability=durability,
                )
            )
            broker = coordinator = await stack.enter_async_context(
                MemoryBroker.open(journal, queues, setting.clock, confirms=confirms)
            )
        else:
            coordinator = setting.backends.node
            broker = await stack.enter_async_context(
                RabbitBroker.open(
                    setting.backends.broker, queues, durability=durability, confirms=confirms
                )
            )
        system = await stack.enter_async_context(
            ChoreographedSystem.open(
                participants=setting.participants,
                services=setting.services(),
                broker=UnreliableBroker(broker, setting.faults),
                step_order=setting.step_order,
                policy=setting.policy,
                guards=setting.guards,
                tracer=setting.tracer,
                clock=setting.clock,
            )
        )
        yield Assembled(system=system, coordinator=coordinator)


@asynccontextmanager
async def orchestration(setting: Setting) -> AsyncIterator[Assembled]:
    """One conductor that calls the services."""
    notes: list[str] = []
    async with AsyncExitStack() as stack:
        functions = await stack.enter_async_context(workers(setting.services()))
        call: Call
        coordinator: Disturbance | None = None
        time_scale, durability = setting.policy.time_scale, setting.durability
        if setting.backends.engine == "inprocess":
            engine = InProcessEngine(
                setting.folder,
                invoke=in_process_invoker(functions),
                clock=setting.clock,
                time_scale=time_scale,
                durability=durability,
            )
            await stack.enter_async_context(running(engine))
            call, coordinator = direct_call(engine.engine), engine
        else:
            endpoint = await stack.enter_async_context(serve_functions(functions, port=free_port()))
            url = setting.backends.engine
            if url == "embedded":
                process = EngineProcess(
                    setting.folder,
                    lambda_endpoint=endpoint,
                    time_scale=time_scale,
                    durability=durability,
                )
                stack.push_async_callback(process.kill)
                await process.spawn()
                url, coordinator = process.endpoint, process
            else:
                notes.append(
                    f"{url} must invoke its Lambda functions at {endpoint}, keeps its own time scale"
                    " and its own durability"
                )
            call = await stack.enter_async_context(boto3_call(url))
            if isinstance(coordinator, EngineProcess):
                await coordinator.ready()  # boto3 has made its client meanwhile
        system = await stack.enter_async_context(
            OrchestratedSystem.open(
                participants=setting.participants,
                step_functions=StepFunctions(call),
                name=f"saga-{setting.run_id}",
                step_order=setting.step_order,
                policy=setting.policy,
                guards=setting.guards,
                tracer=setting.tracer,
                clock=setting.clock,
            )
        )
        yield Assembled(system=system, coordinator=coordinator, notes=notes)


STYLES: dict[str, Callable[[Setting], AbstractAsyncContextManager[Assembled]]] = {
    "choreography": choreography,
    "orchestration": orchestration,
}
