"""Where mutants are made: what a team writes of a saga and of the machinery under it, and which styles run it."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from kernel.loading import package_of
from kernel.saga import Saga
from scenarios.campaigns.mutants.trees import functions_in
from scenarios.catalog.bug import CHOREOGRAPHY, ORCHESTRATION

BOTH = CHOREOGRAPHY, ORCHESTRATION
PARTICIPANTS = "participants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Modules with one purpose. `functions`: those that are mutated, by module; () = all of them."""

    name: str
    modules: tuple[str, ...]
    styles: tuple[str, ...]
    functions: tuple[str, ...] = ()

    def has(self, module: ModuleType, place: str) -> bool:
        """Whether a function belongs to it."""
        return (
            not self.functions
            or place in self.functions
            or f"{module.__name__}:{place}" in self.functions
        )


ROOMS = (
    Room(
        name="orders",
        modules=("kernel.orders",),
        styles=BOTH,
        functions=("load", "save", "status"),
    ),
    Room(
        name="messages",
        modules=("kernel.messages",),
        styles=BOTH,
        functions=("Message.order_id", "Message.name", "Message.message_id", "order_json", "to_json", "reply"),
    ),
    Room(name="messages", modules=("kernel.messages",), styles=(CHOREOGRAPHY,), functions=("follow",)),
    Room(
        name="messages",
        modules=("choreography.cloud_events",),
        styles=(CHOREOGRAPHY,),
        functions=("envelope", "publish"),
    ),
    Room(
        name="participant",
        modules=("kernel.participant",),
        styles=BOTH,
        functions=("Participant._in_time", "Participant._once", "Participant._handle"),
    ),
    Room(name="inbox", modules=("kernel.inbox",), styles=BOTH, functions=("Inbox.recall", "Inbox.tombstoned", "Inbox.remember")),
    Room(name="inbox", modules=("kernel.inbox",), styles=(CHOREOGRAPHY,), functions=("Inbox.give_up", "Inbox.answered")),
    Room(name="ledger", modules=("kernel.ledger",), styles=BOTH),
    Room(
        name="outbox",
        modules=("kernel.outbox",),
        styles=(CHOREOGRAPHY,),
        functions=("Outbox.enqueue", "Outbox.left_behind", "Outbox.mark_published"),
    ),
    Room(name="parked", modules=("kernel.parked",), styles=(CHOREOGRAPHY,), functions=("park", "mark_shown", "check", "redelivered")),
    Room(name="joins", modules=("kernel.joins",), styles=(CHOREOGRAPHY,)),
    Room(name="deadline", modules=("kernel.orders",), styles=(CHOREOGRAPHY,), functions=("expire", "_expired")),
    Room(name="deadline", modules=("choreography.deadline",), styles=(CHOREOGRAPHY,)),
    Room(
        name="consumer",
        modules=("choreography.consumer",),
        styles=(CHOREOGRAPHY,),
        functions=(
            "Consumer.run", "Consumer._handle", "Consumer._react", "Consumer._heard", "Consumer._done_with", "Consumer._call",
            "Consumer._after_failure", "Consumer._finally", "Consumer._still_parked", "Consumer._show", "Consumer._park",
            "Consumer._or_requeue", "_command",
        ),
    ),
    Room(name="relay", modules=("choreography.relay",), styles=(CHOREOGRAPHY,)),
    Room(
        name="task worker",
        modules=("orchestration.tasks",),
        styles=(ORCHESTRATION,),
        functions=("TaskWorker.__call__", "TaskWorker._run", "TaskWorker.drop_all", "TaskWorker._done"),
    ),
    Room(name="start", modules=("orchestration.system",), styles=(ORCHESTRATION,), functions=("OrchestratedSystem.start",)),
    Room(name="start", modules=("choreography.system",), styles=(CHOREOGRAPHY,), functions=("ChoreographedSystem.start",)),
)  # fmt: skip
"""What a team writes whatever its saga. Left out: what only looks on (statuses, evidence), what an operator asks for, and what runs
only with a safeguard off."""


def rooms_of(saga: Saga) -> Iterator[tuple[Room, ModuleType]]:
    """Every room with each of its modules, the saga's participants first."""
    found = participants_of(saga)
    room = Room(
        name=PARTICIPANTS,
        modules=tuple(module.__name__ for module in found),
        styles=BOTH,
        functions=tuple(_served_by(saga, found)),
    )
    for module in found:
        yield room, module
    for room in ROOMS:
        for name in room.modules:
            yield room, importlib.import_module(name)


def participants_of(saga: Saga) -> list[ModuleType]:
    """The modules of a saga's participants, with those that they share."""
    mine = [p for p in saga.participants.values() if isinstance(p, ModuleType)]
    names = {module.__name__ for module in mine}
    package = f"{package_of(saga.address)}.{PARTICIPANTS}"
    if any(name.startswith(f"{package}.") for name in names):
        names |= {
            f"{package}.{found.name}"
            for found in pkgutil.iter_modules(importlib.import_module(package).__path__)
        }
    return [importlib.import_module(name) for name in sorted(names)]


def _served_by(saga: Saga, modules: list[ModuleType]) -> set[str]:
    """The functions of these modules that a rule, a load or a save comes to, as module:place. What only tests or a workload call is left out."""
    calls = {
        f"{module.__name__}:{place}": {_called(node) for node in ast.walk(function)}
        for module in modules
        for place, function in functions_in(ast.parse(inspect.getsource(module)))
    }
    rules = {r.__name__ for p in saga.participants.values() for r in p.RULES.values()}
    wanted, found = rules | {"load", "save"}, set[str]()
    while fresh := {at for at in calls.keys() - found if re.split(r"[:.]", at)[-1] in wanted}:
        found |= fresh
        wanted = set().union(*(calls[at] for at in fresh))
    return found


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
    return ""
