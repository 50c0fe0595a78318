"""What readers see of unfinished sagas: probes during a run, and the anomalies that the ledgers find in them afterwards.

A saga has no isolation of its own. Names after Richardson (Microservices Patterns, 2018) and Adya; see docs/isolation.md.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kernel.errors import Failure
from kernel.guards import Guards
from kernel.ledger import Effect
from kernel.orders import TERMINAL
from kernel.participants import Participants
from kernel.ports import Clock, Ledgers, SagaSystem
from scenarios.judge.oracle import OrderFacts
from scenarios.runs.customers import Customer
from scenarios.runs.probe import Probe
from shared_domain.order.participants.inventory import free as free_units
from shared_domain.order.participants.inventory import holders as holding

PAUSE_S = 0.002
"""Between two visits, and between the two looks of one visit."""
MOST_VISITS = 5_000
EXAMPLES = 5
RECENT = 8
"""Readers look at the last orders: those are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One reader looks twice at the same thing.

    `reader`: "customer" (asks the style for an order) or "clerk" (looks at the desks of the order and inventory services). `shown`: the order's status at
    each look. `free`: the item's free units. `sold_to`: the orders that the desk counts as sold.
    """

    reader: str
    order_id: str
    item: str
    mono_s: tuple[float, float]
    shown: tuple[str, str]
    free: tuple[int, int] = (0, 0)
    sold_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomalies:
    """Counts over all visits, and what the ledgers say about updates. `examples`: visits that prove the counts."""

    visits: int = 0
    dirty_reads: int = 0
    """Shown as final what was undone later."""
    early_reads: int = 0
    """Shown as final before it was, and it came true."""
    fuzzy_reads: int = 0
    """Two looks of one visit were shown two different final states."""
    dirty_stock_reads: int = 0
    """Units shown as sold whose order was undone later."""
    fuzzy_stock_reads: int = 0
    """Two looks of one visit saw different free units."""
    lost_updates: int = 0
    """Units by which stock differs from the sum of its changes: updates that another one overwrote."""
    oversold: int = 0
    """Units sold that were not there."""
    turned_away: int = 0
    """Customers refused for want of units that a compensation freed afterwards and nobody bought."""
    examples: list[dict[str, Any]] = field(default_factory=list)


class Readers:
    """A customer and a clerk, who look at random orders as long as the run lasts."""

    def __init__(
        self,
        *,
        system: SagaSystem,
        participants: Participants,
        customers: Sequence[Customer],
        guards: Guards,
        seed: int,
        clock: Clock,
    ) -> None:
        self._system, self._participants, self._customers = system, participants, customers
        self._inventory = participants.by_name["inventory"].database
        self._locked, self._clock = guards.semantic_lock, clock
        self._chance = random.Random(seed)
        self.visits: list[Visit] = []

    async def run(self) -> None:
        """Read until cancelled, at most MOST_VISITS times."""
        while len(self.visits) < MOST_VISITS:
            await self._clock.sleep(PAUSE_S)
            accepted = [c for c in self._customers if c.accepted_mono_s is not None]
            if not accepted:
                continue
            recent = accepted[-RECENT:]
            for look in (self._customer, self._clerk):
                try:
                    self.visits.append(await look(self._chance.choice(recent)))
                except Failure:
                    continue  # the coordinator is away: nothing was shown

    async def _customer(self, customer: Customer) -> Visit:
        order = customer.order
        shown, times = [], []
        for _ in range(2):
            shown.append(await self._system.outcome(order.order_id))
            times.append(self._clock.mono_s())
            await self._clock.sleep(PAUSE_S)
        customer.told += shown
        return Visit(
            reader="customer",
            order_id=order.order_id,
            item=order.item,
            mono_s=(times[0], times[1]),
            shown=(shown[0], shown[1]),
        )

    async def _clerk(self, customer: Customer) -> Visit:
        order = customer.order
        shown, free, times = [], [], []
        for _ in range(2):
            status = await self._participants.status(order.order_id)
            shown.append(self._as_shown(status))
            free.append(await self._inventory.read(lambda tx: free_units(tx, order.item)))
            times.append(self._clock.mono_s())
            await self._clock.sleep(PAUSE_S)
        return Visit(
            reader="clerk",
            order_id=order.order_id,
            item=order.item,
            mono_s=(times[0], times[1]),
            shown=(shown[0], shown[1]),
            free=(free[0], free[1]),
            sold_to=await self._sold_to(order.item),
        )

    async def _sold_to(self, item: str) -> tuple[str, ...]:
        holders = await self._inventory.read(lambda tx: holding(tx, item))
        statuses = await self._participants.statuses()
        return tuple(
            o for o in holders if self._as_shown(statuses.get(o, "PENDING")) == "CONFIRMED"
        )

    def _as_shown(self, status: str) -> str:
        """Without the semantic lock nobody can tell an open order from a confirmed one."""
        return "CONFIRMED" if status == "PENDING" and not self._locked else status


def anomalies(visits: Sequence[Visit], facts: Sequence[OrderFacts], ledgers: Ledgers) -> Anomalies:
    """What was wrong with what was shown, by the ledgers. Pure."""
    by_order = {f.asked.order_id: f for f in facts}
    final = {order_id: f.status for order_id, f in by_order.items()}
    dirty = [v for v in visits if any(_undone_later(s, final[v.order_id]) for s in v.shown)]
    known = set(dirty)
    early = [v for v in visits if v not in known and _early(v, by_order[v.order_id])]
    fuzzy = [v for v in visits if v.shown[0] != v.shown[1] and v.shown[0] in TERMINAL]
    dirty_stock = [
        v
        for v in visits
        if any(final.get(o, "") not in ("CONFIRMED", "PENDING") for o in v.sold_to)
    ]
    return Anomalies(
        visits=len(visits),
        dirty_reads=len(dirty),
        early_reads=len(early),
        fuzzy_reads=len(fuzzy),
        dirty_stock_reads=len(dirty_stock),
        fuzzy_stock_reads=sum(v.free[0] != v.free[1] for v in visits),
        lost_updates=sum(map(abs, _adrift(ledgers).values())),
        oversold=sum(max(0, -row["free"]) for row in ledgers["inventory"]["stock"]),
        turned_away=_turned_away(facts, ledgers),
        examples=[asdict(v) for found in (dirty, fuzzy, dirty_stock) for v in found[:EXAMPLES]],
    )


def _undone_later(shown: str, final: str) -> bool:
    return shown == "CONFIRMED" and final in ("CANCELLED", "REJECTED")


def _early(visit: Visit, facts: OrderFacts) -> bool:
    confirmed = [row["mono_s"] for row in facts.of("ConfirmOrder", Effect.DONE)]
    return any(
        shown == "CONFIRMED" and facts.status == "CONFIRMED" and at < min(confirmed, default=at)
        for shown, at in zip(visit.shown, visit.mono_s, strict=True)
    )


def _adrift(ledgers: Ledgers) -> Mapping[str, int]:
    """Item -> units by which its stock differs from the sum of the changes that the ledger knows."""
    tables = ledgers["inventory"]
    item_of = {row["order_id"]: row["item"] for row in tables["reservations"]}
    found = {row["item"]: row["free"] - row["initial"] for row in tables["stock"]}
    for row in tables["ledger"]:
        if row["delta"] and row["order_id"] in item_of:
            found[item_of[row["order_id"]]] -= row["delta"]
    return found


def _turned_away(facts: Sequence[OrderFacts], ledgers: Ledgers) -> int:
    left = {row["item"]: row["free"] for row in ledgers["inventory"]["stock"]}
    refused: dict[str, int] = {}
    for order in facts:
        if order.of("ReserveStock", Effect.REFUSED):
            refused[order.asked.order.item] = (
                refused.get(order.asked.order.item, 0) + order.asked.order.quantity
            )
    return sum(min(units, left.get(item, 0)) for item, units in refused.items())


PROBE = Probe(readers=Readers, anomalies=anomalies)
