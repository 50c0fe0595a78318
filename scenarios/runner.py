"""One run: open a style, let customers come, disturb it as planned, let it settle, judge the ledgers."""

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scenarios.arrivals import poisson_offsets_s
from scenarios.fault_plan import Injection, Moment, PlannedFaults
from scenarios.judgement import judge
from scenarios.oracle import Asked
from scenarios.run_folder import SCHEMA, RunFolder, verdict_document
from scenarios.run_spec import RunSpec, about, now_utc
from scenarios.systems import STYLES, Assembled, Setting
from scenarios.verdict import Judgement, Verdict
from shared_domain.clock import SystemClock
from shared_domain.errors import Failure, UsageError
from shared_domain.messages import Order
from shared_domain.participants import open_participants
from shared_domain.ports import OrderSystem, Settlement
from shared_domain.tracing import OtelTracer

CLIENT_PAUSE_S = 0.1
"""A customer whose order was not accepted asks again after this long, with the same order_id."""
CLIENT_PATIENCE_S = 30.0
WARM_UP_S = 0.1
"""Between opening a system and its first order: consumers are subscribed by then."""


@dataclass(slots=True, kw_only=True)
class _Customer:
    """One order on its way, as orders.jsonl tells it."""

    order: Order
    intended_mono_s: float
    started_mono_s: float | None = None
    accepted_mono_s: float | None = None
    attempts: int = 0
    told: list[str] = field(default_factory=list)
    refusal: str = ""

    def asked(self) -> Asked:
        """What the judge is told about it."""
        return Asked(
            order_id=self.order.order_id,
            item=self.order.item,
            quantity=self.order.quantity,
            amount_cents=self.order.amount_cents,
            accepted=self.accepted_mono_s is not None,
            told=tuple(self.told),
            intended_mono_s=self.intended_mono_s,
            accepted_mono_s=self.accepted_mono_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Where a run lies, and what became of it."""

    folder: Path
    verdict: Verdict


Progress = Callable[[int], None]
"""Called with the number of orders placed since the last call."""


async def run(
    spec: RunSpec, *, runs: Path, facts: dict[str, Any], progress: Progress = lambda placed: None
) -> RunResult:
    """Carry out one run and leave its folder under `runs`.

    `facts`: machine and versions, for run.json. If cancelled, the folder is marked interrupted.
    """
    folder = RunFolder.create(runs, scenario=spec.scenario.name, style=spec.style, seed=spec.seed)
    told = about(spec, facts, folder.path)
    folder.write("run.json", told | {"status": "running"})
    if spec.extra_plan.faults:
        folder.write("extra_plan.json", spec.extra_plan.to_json())
    try:
        verdict = await _Run(spec, folder, progress).carry_out()
    except (Failure, OSError, UsageError) as error:
        verdict = _unknown(folder, f"a part of the testbed failed: {error}")
    except asyncio.CancelledError:
        folder.write("run.json", told | {"status": "interrupted"})
        raise
    except BaseException as error:
        folder.write("run.json", told | {"status": "failed", "error": repr(error)})
        raise
    ended = {"status": "complete", "ended_utc": now_utc()}
    folder.write("run.json", told | ended)
    return RunResult(folder=folder.path, verdict=verdict)


def _unknown(folder: RunFolder, problem: str) -> Verdict:
    """The verdict on a run that could not be carried out, with what its folder then lacks."""
    verdict = Verdict(
        judgement=Judgement.UNKNOWN,
        as_expected=False,
        orders=[],
        laws=[],
        timings=[],
        problems=[problem],
    )
    for name in ("orders.jsonl", "ledgers.jsonl", "faults.jsonl"):
        folder.write_lines(name, [])
    folder.write("verdict.json", verdict_document(verdict))
    return verdict


class _Run:
    """The phases of one run, and what they hand to each other."""

    def __init__(self, spec: RunSpec, folder: RunFolder, progress: Progress) -> None:
        self._spec, self._folder, self._progress = spec, folder, progress
        self._clock, self._tracer = SystemClock(), OtelTracer()
        self._policy, self._plan = spec.policy(), spec.plan()
        orders = spec.scenario.orders(spec.orders, seed=spec.seed, plan=self._plan)
        self._faults = PlannedFaults(
            self._plan,
            [order.order_id for order in orders],
            seed=spec.seed,
            policy=self._policy,
            clock=self._clock,
        )
        offsets = poisson_offsets_s(spec.orders, rate_per_s=spec.rate_per_s, seed=spec.seed)
        self._customers = [
            _Customer(order=order, intended_mono_s=offset)
            for order, offset in zip(orders, offsets, strict=True)
        ]
        self._failures: list[str] = []
        self._in_flight_at_kill = 0
        self._killing = asyncio.Lock()

    async def carry_out(self) -> Verdict:
        """Every phase; the verdict."""
        spec = self._spec
        async with AsyncExitStack() as stack:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="saga-run-")))
            participants = await stack.enter_async_context(
                open_participants(
                    work,
                    policy=self._policy,
                    guards=spec.guards,
                    faults=self._faults,
                    tracer=self._tracer,
                    clock=self._clock,
                    durability=spec.durability,
                )
            )
            await participants.stock_up(spec.scenario.stock(spec.orders))
            setting = Setting(
                folder=work,
                run_id=secrets.token_hex(6),
                backends=spec.backends,
                step_order=spec.step_order,
                durability=spec.durability,
                policy=self._policy,
                guards=spec.guards,
                participants=participants,
                faults=self._faults,
                tracer=self._tracer,
                clock=self._clock,
            )
            assembled = await stack.enter_async_context(STYLES[spec.style](setting))
            return await self._serve(assembled)

    async def _serve(self, assembled: Assembled) -> Verdict:
        system, clock = assembled.system, self._clock
        await clock.sleep(WARM_UP_S)
        begun = clock.mono_s()
        async with asyncio.TaskGroup() as shop:
            for customer in self._customers:
                customer.intended_mono_s += begun
                shop.create_task(self._place(customer, assembled))
        ids = [customer.order.order_id for customer in self._customers if customer.accepted_mono_s]
        settlement = await self._settle(system, ids)
        ended = clock.mono_s()
        for customer in self._customers:
            customer.told.append(await system.outcome(customer.order.order_id))
        ledgers, parked = await system.ledgers(), await system.parked()
        injections = self._changed(ledgers)
        verdict = judge(
            scenario=self._spec.scenario,
            asked=[customer.asked() for customer in self._customers],
            ledgers=ledgers,
            parked=parked,
            injections=injections,
            policy=self._policy,
            run_ended_mono_s=ended,
            arrivals_mono_s=self._faults.arrivals_mono_s,
            never_struck=self._faults.never_struck(),
            failures=self._failures,
            still_changing=settlement.still_changing,
        )
        self._leave(verdict, ledgers, injections, settlement)
        for source, rows in (await system.evidence()).items():
            self._folder.write_lines(f"evidence/{source}.jsonl", rows)
        self._folder.write_lines("evidence/parked.jsonl", [asdict(saga) for saga in parked])
        return verdict

    async def _settle(self, system: OrderSystem, ids: list[str]) -> Settlement:
        """Settle, and again for as long as a fault holds requests back that could still change something."""
        give_up_at = self._clock.mono_s() + 2 * self._policy.saga_s() + 3
        while True:
            left_s = max(self._policy.quiet_s(), give_up_at - self._clock.mono_s())
            settlement = await system.settle(ids, deadline_s=left_s)
            if not self._faults.in_flight or settlement.how == "deadline":
                break
            if self._clock.mono_s() > give_up_at:
                break
            await self._clock.sleep(self._policy.quiet_s())
        if self._faults.in_flight:
            self._failures.append(
                f"{self._faults.in_flight} requests were still held back at the end"
            )
        return settlement

    async def _place(self, customer: _Customer, assembled: Assembled) -> None:
        """One customer: comes at the intended time, and asks until the order is accepted."""
        clock, order = self._clock, customer.order
        await clock.sleep(customer.intended_mono_s - clock.mono_s())
        customer.started_mono_s = clock.mono_s()
        while customer.accepted_mono_s is None:
            customer.attempts += 1
            try:
                customer.told.append(await assembled.system.place_order(order))
                customer.accepted_mono_s = clock.mono_s()
            except Failure as failure:
                customer.refusal = str(failure)
                if clock.mono_s() - customer.started_mono_s > CLIENT_PATIENCE_S:
                    break
                await clock.sleep(CLIENT_PAUSE_S)
        self._progress(1)
        if self._faults.strike(
            Moment.COORDINATOR_KILLED, order.order_id, "PlaceOrder", 1, succeed=False
        ):
            async with self._killing:
                await self._kill(order.order_id, assembled)

    async def _kill(self, order_id: str, assembled: Assembled) -> None:
        if assembled.coordinator is None:
            self._failures.append("the coordinator of this backend cannot be killed from here")
            return
        ledgers = await assembled.system.ledgers()
        ended = {r["order_id"] for r in ledgers["order"]["orders"] if r["status"] != "PENDING"}
        accepted = [c for c in self._customers if c.accepted_mono_s is not None]
        self._in_flight_at_kill = sum(c.order.order_id not in ended for c in accepted)
        await assembled.coordinator.kill()
        self._faults.strike(Moment.COORDINATOR_KILLED, order_id, "PlaceOrder", 1)
        await assembled.coordinator.restart()

    def _changed(self, ledgers: Any) -> list[Injection]:
        """Every injection, with `changed`: the saga's rows or attempts differ from the fault-free template."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for name in ("order", "inventory", "payment", "shipping"):
            for row in ledgers[name]["ledger"]:
                rows.setdefault(row["order_id"], []).append((row["operation"], row["effect"]))
        template = sorted((operation, "done") for operation in _STEPS)
        injections = self._faults.injections()
        for injection in injections:
            order_id = injection.order_id
            repeated = any(
                count > 1
                for (order, _), count in self._faults.attempts.items()
                if order == order_id
            )
            differs = repeated or sorted(rows.get(order_id, [])) != template
            if injection.moment == Moment.COORDINATOR_KILLED:
                differs = differs or self._in_flight_at_kill > 0
            injection.changed = injection.struck and differs
        return injections

    def _leave(
        self, verdict: Verdict, ledgers: Any, injections: list[Injection], settlement: Settlement
    ) -> None:
        """Write the run down."""
        folder = self._folder
        folder.write_lines(
            "orders.jsonl",
            [
                {"schema": SCHEMA, "index": index, **asdict(customer)}
                for index, customer in enumerate(self._customers)
            ],
        )
        folder.write_lines(
            "ledgers.jsonl",
            [
                {"participant": name, "table": table, **row}
                for name, tables in ledgers.items()
                for table, rows in tables.items()
                for row in rows
            ],
        )
        folder.write_lines("trace.jsonl", self._tracer.spans())
        folder.write_lines("faults.jsonl", [asdict(injection) for injection in injections])
        document = verdict_document(verdict)
        document["timing"]["settlement"] = asdict(settlement)
        folder.write("verdict.json", document)


_STEPS = ("PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder")
