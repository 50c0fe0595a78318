"""How the orchestration of a run is running_system over its backends, in one process or in several."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from kernel.child import free_port
from kernel.memory_files import Folder
from kernel.orders import CANCELLED, CONFIRMED
from kernel.participant import Participant
from kernel.ports import Disturbance
from kernel.saga import Saga
from orchestration.engine.store import forget_execution
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import Call, StepFunctions, boto3_call, direct_call
from orchestration.system import OrchestratedSystem, place
from orchestration.tasks import Function, in_process_invoker, serve_functions, workers
from orchestration.timeline import native_timeline
from scenarios.faults.network import UnreliableLink, unreliable_function
from scenarios.faults.plan import Moment
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.soft_wire import SoftWire
from scenarios.faults.tcp_proxy import TcpProxy
from scenarios.judge.verdict import LIED, OrderClass
from scenarios.runs.environment import EngineHost, RunEnvironment, RunningSystem, open_wires
from scenarios.runs.participant_config import ParticipantConfig
from scenarios.runs.process_of_a_run import ProcessOfARun
from scenarios.runs.processes import ParticipantProcess, supervised
from scenarios.styles.rolling_orchestration import rolling
from scenarios.styles.style import Look, Style

_ENDPOINT, _MACHINE = "SAGA_CUSTOMERS_ENDPOINT", "SAGA_CUSTOMERS_MACHINE"
"""Where customers in a process of their own find the conductor and its state machine."""


@asynccontextmanager
async def orchestration(environment: RunEnvironment) -> AsyncIterator[RunningSystem]:
    """One conductor that calls the services."""
    async with AsyncExitStack() as stack:
        if environment.backends.engine == "inprocess":
            wires = environment.soft_wires()
            functions = await _functions(environment, stack, wires)
            engine = InProcessEngine(
                environment.folder,
                invoke=in_process_invoker(functions),
                clock=environment.core.clock,
                time_scale=environment.core.policy.time_scale,
                durability=environment.core.durability,
                entropy=environment.entropy,
                resumes=not environment.resting,
            )
            await stack.enter_async_context(running(engine))
            system = await _orchestrated(environment, stack, direct_call(engine.engine))
            yield RunningSystem(
                system=system,
                coordinator=engine,
                forget=partial(_forget, environment.folder, engine),
                wires=wires,
            )
        else:
            yield await _over_http(environment, stack)


async def _over_http(environment: RunEnvironment, stack: AsyncExitStack) -> RunningSystem:
    machine = environment.backends.machine
    port_of_its_own = free_port if machine is None else machine.free_port
    ports = {name: port_of_its_own() for name in environment.services}
    processes: Mapping[str, ParticipantProcess] = {}
    if environment.processes:
        supervising = supervised(
            "orchestration",
            environment.disk,
            arguments={name: ["--port", str(port)] for name, port in ports.items()},
            environments={},
            policy=environment.restart,
        )
        processes = await stack.enter_async_context(supervising)
    else:
        port = port_of_its_own()
        ports = dict.fromkeys(environment.services, port)
        functions = await _functions(environment, stack)
        await stack.enter_async_context(serve_functions(functions, port=port))
    wires: dict[str, TcpProxy] = {}
    if environment.cuttable:
        wires = await open_wires(stack, {name: ("127.0.0.1", port) for name, port in ports.items()})
        ports = {name: wire.port for name, wire in wires.items()}
    endpoints = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    url, notes = environment.backends.engine, list[str]()
    coordinator: EngineHost | None = None
    if url == "embedded":
        coordinator = _engine(environment, endpoints)
        stack.push_async_callback(coordinator.kill)
        await coordinator.spawn()
        url = coordinator.endpoint
    else:
        where = ", ".join(f"{name} at {endpoint}" for name, endpoint in endpoints.items())
        notes = [f"{url} must invoke its Lambda functions: {where}; its time scale is its own"]
    call = await stack.enter_async_context(boto3_call(url))
    if coordinator is not None:
        await coordinator.ready()  # boto3 has made its client meanwhile
    system = await _orchestrated(environment, stack, call)
    return RunningSystem(
        system=system,
        coordinator=coordinator,
        forget=None if coordinator is None else partial(_forget, environment.folder, coordinator),
        wires=wires,
        processes=processes,
        entrance={_ENDPOINT: url, _MACHINE: system.machine_arn},
        notes=notes,
    )


def _engine(environment: RunEnvironment, endpoints: Mapping[str, str]) -> EngineHost:
    """The engine as a process of its own, not started yet."""
    opener = endpoints[environment.core.saga.opener]
    if (machine := environment.backends.machine) is not None:
        return machine.engine(environment, lambda_endpoint=opener, functions=endpoints)
    return EngineProcess(
        environment.disk,
        lambda_endpoint=opener,
        time_scale=environment.core.policy.time_scale,
        durability=environment.core.durability,
        functions=endpoints,
    )


async def _functions(
    environment: RunEnvironment, stack: AsyncExitStack, wires: Mapping[str, SoftWire] = {}
) -> dict[str, Function]:
    services = environment.links(answers_return=True, wires=wires)
    made = await stack.enter_async_context(workers(services, environment.core))
    return {name: unreliable_function(made[name], environment.faults) for name in made}


async def _forget(folder: Folder, engine: Disturbance, order_id: str) -> None:
    """Kill the engine, take an order's execution out of its history, and start it again."""
    await engine.kill()
    await forget_execution(folder, order_id)
    await engine.restart()


async def _orchestrated(
    environment: RunEnvironment, stack: AsyncExitStack, call: Call
) -> OrchestratedSystem:
    opening = OrchestratedSystem.open(
        participants=environment.participants,
        step_functions=StepFunctions(call),
        name=f"saga-{environment.run_id}",
        environment=environment.core,
    )
    return await stack.enter_async_context(opening)


@asynccontextmanager
async def host(
    config: ParticipantConfig, participant: Participant, faults: PlannedFaults, port: int
) -> AsyncIterator[None]:
    """One participant in a process of its own: its function on `port`, while the context is open."""
    environment = config.environment(faults=faults, tracer=participant.tracer, clock=faults.clock)
    link = UnreliableLink(participant, faults, environment.clock, answers_return=True)
    async with workers({participant.name: link}, environment) as made:
        functions = {participant.name: unreliable_function(made[participant.name], faults)}
        async with serve_functions(functions, port=port):
            yield


@asynccontextmanager
async def entrance(mine: ProcessOfARun) -> AsyncIterator[Callable[[Any], Awaitable[str]]]:
    """Customers in a process of their own: each order is a StartExecution through boto3."""
    async with boto3_call(os.environ[_ENDPOINT]) as call:
        yield partial(
            place,
            step_functions=StepFunctions(call),
            machine_arn=os.environ[_MACHINE],
            environment=mine.environment,
        )


def _forgotten(saga: Saga, variant: str, operation: str) -> str:
    """Nobody else knows the saga; what the last request did is done, but the customer asks the conductor, who knows no such order."""
    last = {saga.ended_by[CONFIRMED], saga.ended_by.get(CANCELLED, "")}
    return LIED if operation in last else OrderClass.STUCK


STYLE = Style(
    name="orchestration",
    words="A conductor, a state machine, calls one service after the other.",
    open=orchestration,
    host=host,
    entrance=entrance,
    roll_out=rolling,
    native=native_timeline,
    audited=native_timeline,
    coordinator=lambda backends: backends.engine,
    conducted=True,
    parked="failed execution",
    parked_command="executions",
    parked_evidence=("histories", "order_id"),
    look=Look(colour="#1d4f91", line="--", marker="s"),
    forgotten=_forgotten,
    moments_without={Moment.ANSWER_DUPLICATED: "an invocation has exactly one response"},
    guards_without=frozenset({"outbox", "confirms", "dead_letters"}),
)
"""Guards without counterpart: StartExecution and task answers are already one durable write of the engine, and a failed execution
cannot be dropped."""
