"""What runs the order saga in a benchmark: both styles over each pair, the baseline below them, and what people would use instead."""

import importlib
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.peers.moto_server import moto_server
from bench.peers.naive_choreography import naive_choreography
from bench.peers.raw_hops import raw_hops
from bench.peers.single_database import single_database
from choreography import memory_journal
from choreography.broker import Broker, Topology
from choreography.memory_broker import MemoryBroker
from choreography.rabbit_broker import RabbitBroker
from choreography.system import ChoreographedSystem, topology
from kernel.child import free_port
from kernel.clock import SystemClock
from kernel.database import Database
from kernel.environment import Environment
from kernel.participants import Participants, open_participants
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import Call, StepFunctions, boto3_call, direct_call
from orchestration.system import OrchestratedSystem
from orchestration.tasks import in_process_invoker, serve_functions, workers
from scenarios.styles import choreography, orchestration
from shared_domain.order.messages import Order
from shared_domain.order.saga import SAGA

BOOKS = 100_000_000
ITEM = SAGA.workload.item
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a contender is opened. `url`: of the RabbitMQ node; `prefix`: of every name on it."""

    url: str
    folder: Path
    prefix: str
    durability: str = "process"


Start = Callable[[Order], Awaitable[object]]
Opening = AbstractAsyncContextManager[Start]


def _environment(at: Place) -> Environment:
    return Environment(saga=SAGA, variant=SAGA.variant, durability=at.durability, clock=_CLOCK)


@asynccontextmanager
async def _participants(at: Place) -> AsyncIterator[Participants]:
    async with open_participants(at.folder, _environment(at)) as participants:
        await participants.stock_up({ITEM: BOOKS})
        yield participants


@asynccontextmanager
async def _choreography(
    at: Place, broker_of: Callable[[Place, Topology], AbstractAsyncContextManager[Broker]]
) -> AsyncIterator[Start]:
    queues = topology(prefix=at.prefix, environment=_environment(at))
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(_participants(at))
        broker = await stack.enter_async_context(broker_of(at, queues))
        opening = ChoreographedSystem.open(
            participants=participants,
            services=participants.by_name,
            broker=broker,
            environment=_environment(at),
        )
        yield (await stack.enter_async_context(opening)).start


def _rabbit(at: Place, queues: Topology) -> AbstractAsyncContextManager[Broker]:
    return RabbitBroker.open(at.url, queues, durability=at.durability)


@asynccontextmanager
async def _memory(at: Place, queues: Topology) -> AsyncIterator[Broker]:
    opening = Database.open(
        at.folder / "broker.sqlite", schema=memory_journal.SCHEMA, durability=at.durability
    )
    async with opening as journal, MemoryBroker.open(journal, queues, _CLOCK) as broker:
        yield broker


@asynccontextmanager
async def _orchestration(
    at: Place,
    engine_of: Callable[[Place, Participants, AsyncExitStack], Awaitable[Call]],
) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(_participants(at))
        call = await engine_of(at, participants, stack)
        opening = OrchestratedSystem.open(
            participants=participants,
            step_functions=StepFunctions(call),
            name="saga",
            environment=_environment(at),
        )
        yield (await stack.enter_async_context(opening)).start


async def _functions(at: Place, participants: Participants, stack: AsyncExitStack) -> str:
    """The endpoint of the participants' functions, in this process."""
    made = await stack.enter_async_context(workers(participants.by_name, _environment(at)))
    return await stack.enter_async_context(serve_functions(made, port=free_port()))


async def _engine_process(at: Place, participants: Participants, stack: AsyncExitStack) -> Call:
    engine = EngineProcess(
        at.folder,
        lambda_endpoint=await _functions(at, participants, stack),
        time_scale=1.0,
        durability=at.durability,
    )
    await stack.enter_async_context(running(engine))
    return await stack.enter_async_context(boto3_call(engine.endpoint))


async def _inside(at: Place, participants: Participants, stack: AsyncExitStack) -> Call:
    made = await stack.enter_async_context(workers(participants.by_name, _environment(at)))
    engine = InProcessEngine(
        at.folder,
        invoke=in_process_invoker(made),
        clock=_CLOCK,
        time_scale=1.0,
        durability=at.durability,
    )
    await stack.enter_async_context(running(engine))
    return direct_call(engine.engine)


async def _moto(at: Place, participants: Participants, stack: AsyncExitStack) -> Call:
    functions = await _functions(at, participants, stack)
    endpoint = await stack.enter_async_context(moto_server(at.folder, lambda_endpoint=functions))
    return await stack.enter_async_context(boto3_call(endpoint))


def _naive(at: Place) -> Opening:
    return naive_choreography(at.url, at.folder, durability=at.durability, prefix=at.prefix)


def _faststream(at: Place) -> Opening:
    peer = importlib.import_module("bench.peers.faststream_choreography")
    opening: Opening = peer.faststream_choreography(
        at.url, at.folder, durability=at.durability, prefix=at.prefix
    )
    return opening


def _raw_hops(at: Place) -> Opening:
    return raw_hops(at.url, at.folder, durability=at.durability, prefix=at.prefix)


def _single_database(at: Place) -> Opening:
    return single_database(at.folder, durability=at.durability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """`processes`: how many take part, the client's included. `is_not`: what it does not do that both styles do."""

    opened: Callable[[Place], Opening]
    processes: int
    is_not: str = ""
    rabbit: bool = False
    slow: bool = False
    """So slow that it gets one batch of orders."""
    quick: int = 1
    """How many times as many orders it gets, so that its trial is not over before anything can be seen."""
    needs: str = ""
    """A package that only the developers' installation has."""

    def missing(self) -> bool:
        """Whether it cannot be opened here."""
        return bool(self.needs) and importlib.util.find_spec(self.needs) is None


CHOREOGRAPHY, ORCHESTRATION = choreography.STYLE.name, orchestration.STYLE.name
INSIDE_CHOREOGRAPHY, INSIDE_ORCHESTRATION = (
    f"{style}, in process" for style in (CHOREOGRAPHY, ORCHESTRATION)
)
NAIVE, FASTSTREAM, MOTO = "naive choreography", "FastStream choreography", "moto server"
RAW_HOPS, SINGLE = "raw broker hops", "single database"
CONTENDERS: dict[str, Contender] = {
    CHOREOGRAPHY: Contender(
        opened=partial(_choreography, broker_of=_rabbit), processes=2, rabbit=True
    ),
    ORCHESTRATION: Contender(
        opened=partial(_orchestration, engine_of=_engine_process), processes=2
    ),
    NAIVE: Contender(
        opened=_naive,
        processes=2,
        rabbit=True,
        is_not="no outbox, retry queues, dead letters, deadlines, tombstones, audit",
    ),
    FASTSTREAM: Contender(
        opened=_faststream,
        processes=2,
        rabbit=True,
        needs="faststream",
        is_not="no relay, retry queues, dead letters, saga deadline, audit",
    ),
    MOTO: Contender(
        opened=partial(_orchestration, engine_of=_moto),
        processes=2,
        slow=True,
        needs="moto",
        is_not="nothing is on disk: a kill forgets every execution",
    ),
    RAW_HOPS: Contender(
        opened=_raw_hops,
        processes=2,
        rabbit=True,
        quick=2,
        is_not="no services: six messages in a row, each confirmed and acked, and one row at the end",
    ),
    SINGLE: Contender(
        opened=_single_database,
        processes=1,
        quick=20,
        is_not="no services to be apart: one commit does it all, and nothing can fail in between",
    ),
    INSIDE_CHOREOGRAPHY: Contender(
        opened=partial(_choreography, broker_of=_memory), processes=1, quick=3
    ),
    INSIDE_ORCHESTRATION: Contender(
        opened=partial(_orchestration, engine_of=_inside), processes=1, quick=3
    ),
}
