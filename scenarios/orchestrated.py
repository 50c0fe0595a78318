"""How the orchestration of a run is assembled over its backends, in one process or in several."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from orchestration.engine.store import forget_execution
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import Call, StepFunctions, boto3_call, direct_call
from orchestration.system import OrchestratedSystem
from orchestration.tasks import Function, in_process_invoker, serve_functions, workers
from scenarios.part import Part
from scenarios.planned_faults import PlannedFaults
from scenarios.processes import ParticipantProcess, supervised
from scenarios.setting import Assembled, Setting, open_wires
from scenarios.soft_wire import SoftWire
from scenarios.tcp_proxy import TcpProxy
from scenarios.wire_faults import UnreliableLink, unreliable_function
from shared_domain.child import free_port
from shared_domain.memory_files import Folder
from shared_domain.participant import Participant
from shared_domain.participants import NAMES
from shared_domain.ports import Clock, Disturbance


@asynccontextmanager
async def orchestration(setting: Setting) -> AsyncIterator[Assembled]:
    """One conductor that calls the services."""
    async with AsyncExitStack() as stack:
        if setting.backends.engine == "inprocess":
            wires = setting.soft_wires()
            functions = await _functions(setting, stack, wires)
            engine = InProcessEngine(
                setting.folder,
                invoke=in_process_invoker(functions),
                clock=setting.clock,
                time_scale=setting.policy.time_scale,
                durability=setting.durability,
                entropy=setting.entropy,
            )
            await stack.enter_async_context(running(engine))
            system = await _orchestrated(setting, stack, direct_call(engine.engine))
            yield Assembled(
                system=system,
                coordinator=engine,
                forget=partial(_forget, setting.folder, engine),
                wires=wires,
            )
        else:
            yield await _over_http(setting, stack)


async def _over_http(setting: Setting, stack: AsyncExitStack) -> Assembled:
    ports = {name: free_port() for name in NAMES}
    processes: Mapping[str, ParticipantProcess] = {}
    if setting.processes:
        supervising = supervised(
            "orchestration",
            setting.disk,
            arguments={name: ["--port", str(port)] for name, port in ports.items()},
            environments={},
            policy=setting.restart,
        )
        processes = await stack.enter_async_context(supervising)
    else:
        port = free_port()
        ports = dict.fromkeys(NAMES, port)
        functions = await _functions(setting, stack)
        await stack.enter_async_context(serve_functions(functions, port=port))
    wires: dict[str, TcpProxy] = {}
    if setting.cuttable:
        wires = await open_wires(stack, {name: ("127.0.0.1", port) for name, port in ports.items()})
        ports = {name: wire.port for name, wire in wires.items()}
    endpoints = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    url, coordinator, notes = setting.backends.engine, None, []
    if url == "embedded":
        coordinator = EngineProcess(
            setting.disk,
            lambda_endpoint=endpoints["order"],
            time_scale=setting.policy.time_scale,
            durability=setting.durability,
            functions=endpoints,
        )
        stack.push_async_callback(coordinator.kill)
        await coordinator.spawn()
        url = coordinator.endpoint
    else:
        where = ", ".join(f"{name} at {endpoint}" for name, endpoint in endpoints.items())
        notes = [f"{url} must invoke its Lambda functions: {where}; its time scale is its own"]
    call = await stack.enter_async_context(boto3_call(url))
    if coordinator is not None:
        await coordinator.ready()  # boto3 has made its client meanwhile
    system = await _orchestrated(setting, stack, call)
    return Assembled(
        system=system,
        coordinator=coordinator,
        forget=None if coordinator is None else partial(_forget, setting.folder, coordinator),
        wires=wires,
        processes=processes,
        notes=notes,
    )


async def _functions(
    setting: Setting, stack: AsyncExitStack, wires: Mapping[str, SoftWire] = {}
) -> dict[str, Function]:
    services = setting.services(answers_return=True, wires=wires)
    made = await stack.enter_async_context(workers(services, setting.tracer))
    return {name: unreliable_function(made[name], setting.faults) for name in made}


async def _forget(folder: Folder, engine: Disturbance, order_id: str) -> None:
    """Kill the engine, take an order's execution out of its history, and start it again."""
    await engine.kill()
    await forget_execution(folder, order_id)
    await engine.restart()


async def _orchestrated(setting: Setting, stack: AsyncExitStack, call: Call) -> OrchestratedSystem:
    opening = OrchestratedSystem.open(
        participants=setting.participants,
        step_functions=StepFunctions(call),
        name=f"saga-{setting.run_id}",
        step_order=setting.step_order,
        policy=setting.policy,
        guards=setting.guards,
        tracer=setting.tracer,
        clock=setting.clock,
    )
    return await stack.enter_async_context(opening)


@asynccontextmanager
async def host(
    part: Part, door: Participant, faults: PlannedFaults, clock: Clock, port: int
) -> AsyncIterator[None]:
    """One participant in a process of its own: its function on `port`, while the context is open."""
    link = UnreliableLink(door, faults, clock, answers_return=True)
    async with workers({door.name: link}, door.tracer) as made:
        functions = {door.name: unreliable_function(made[door.name], faults)}
        async with serve_functions(functions, port=port):
            yield
