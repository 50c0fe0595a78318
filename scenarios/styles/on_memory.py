"""A choreography over the embedded broker."""

from contextlib import AsyncExitStack

from choreography import memory_journal
from choreography.memory_broker import MemoryBroker
from kernel.database import Database
from scenarios.runs.environment import RunEnvironment, RunningSystem
from scenarios.styles.over_a_broker import choreographed, topology_of, unreliable


async def on_memory(environment: RunEnvironment, stack: AsyncExitStack) -> RunningSystem:
    """The running system; `stack` closes it."""
    opening = Database.open(
        environment.folder / "broker.sqlite",
        schema=memory_journal.SCHEMA,
        durability=environment.core.durability,
    )
    journal = await stack.enter_async_context(opening)
    confirms = environment.core.guards.confirms
    broker = await stack.enter_async_context(
        MemoryBroker.open(
            journal, topology_of(environment), environment.core.clock, confirms=confirms
        )
    )
    wires = environment.soft_wires()
    system = await choreographed(
        environment,
        stack,
        broker=broker,
        brokers={name: unreliable(environment, broker, wire) for name, wire in wires.items()},
        services=environment.links(answers_return=False),
    )
    return RunningSystem(system=system, coordinator=broker, wires=wires)
