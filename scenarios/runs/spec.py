"""Everything that decides what a run does, and how run.json tells it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kernel.guards import OFF, Guards
from kernel.loading import DEFAULT
from kernel.policy import Policy
from kernel.saga import Saga
from kernel.tracing import OtelTracer
from scenarios.faults.plan import CRASHES, DISTURBANCES, ONLY_IN_TRACES, FaultPlan, Moment
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.backends import as_options
from scenarios.runs.environment import Backends
from scenarios.runs.folder import SCHEMA
from scenarios.runs.pace import pace
from scenarios.runs.scenario import Scenario
from scenarios.runs.variety import as_option
from scenarios.runs.workload import ServiceTimes
from scenarios.styles.index import STYLES

POLICY_OPTIONS = {
    "max_retries": "--retries",
    "interval_s": "--retry-interval",
    "step_deadline_s": "--step-deadline",
    "saga_deadline_s": "--saga-deadline",
    "on_deadline": "--on-deadline",
}
"""What of a policy a user can choose, and the option of `saga run` that does it."""
READS_PER_S = 20.0
"""How often an ordinary run is looked at."""
LEAST_SCALE_OF_A_RESTART = 0.5
"""A participant's process needs a second to start again; shorter deadlines would measure nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """Everything that decides what a run does."""

    saga: Saga
    variant: str
    scenario: Scenario
    style: str
    orders: int
    seed: int
    backends: Backends
    rate_per_s: float
    time_scale: float
    guards: Guards = field(default_factory=Guards.all)
    durability: str = "process"
    extra_plan: FaultPlan = field(default_factory=FaultPlan)
    rules: Policy = field(default_factory=Policy)
    """Retry budget and deadlines before they are scaled: see `policy`."""
    processes: bool = False
    customers_apart: bool = False
    """Whether customers come from a process of their own."""
    hold_s: float = 0.0
    """How long the run waits for an operator when something is parked."""
    trouble_every_s: float = 0.0
    """Pause between two troubles of a soak; 0 = no soak."""
    troubles_at_once: int = 1
    """How many troubles of a soak strike at the same time."""
    evidence: bool = True
    """Whether spans, logs and the coordinator's own records are kept."""
    trace_sampling: float = 1.0
    """The share of traces that are recorded, 0..1."""
    variety: tuple[str, ...] = ()
    """How customers differ: see variety.py."""
    bug: str = ""
    """The planted bug that it runs with, "" = none."""
    redrive: bool = False
    """Whether what is parked is redriven once the run has settled and no fault strikes any more. A run that keeps no evidence only says
    what went wrong with it.
    """
    reads_per_s: float = 0.0
    """How often somebody reads the status of an order while the run lasts."""
    arrivals: str = Arrivals.POISSON
    service_times: ServiceTimes | None = None
    """None = the scenario's."""
    otlp: str = ""
    """URL of an OTLP endpoint that gets the spans as well. It is told to nobody: it may hold a password."""

    def tracer(self, limit: int, *, write_log: Callable[[dict[str, Any]], object]) -> OtelTracer:
        """What records the run's spans, at most `limit` of them, and hands on the lines of logs; nothing without evidence."""
        if not self.evidence:
            return OtelTracer(limit=0, sampling_ratio=0.0)
        return OtelTracer(
            limit=limit, sampling_ratio=self.trace_sampling, otlp=self.otlp, write_log=write_log
        )

    def plan(self) -> FaultPlan:
        """The scenario's faults and the user's."""
        return self.scenario.faults(self.orders) + self.extra_plan

    def policy(self) -> Policy:
        """The policy at this run's time scale, or at the least one that the scenario makes sense with."""
        crashes = any(fault.moment in CRASHES for fault in self.plan().faults)
        least = LEAST_SCALE_OF_A_RESTART if self.processes and crashes else 0.0
        scale = max(self.time_scale, self.scenario.least_time_scale, least)
        return replace(self.rules, time_scale=scale)

    def times(self) -> ServiceTimes:
        """How long the services take."""
        return self.scenario.service_times if self.service_times is None else self.service_times

    def units(self) -> dict[str, int]:
        """The initial units of each item."""
        return self.scenario.units(self.saga, self.orders, variety=self.variety)

    def needs_wires(self) -> bool:
        """Whether the plan cuts a participant off."""
        cuts = any(f.moment is Moment.COORDINATOR_UNREACHABLE for f in self.plan().faults)
        return cuts or self.trouble_every_s > 0


def no_counterpart(spec: RunSpec) -> bool:
    """Whether everything that makes this run what it is, faults or guards, means nothing in its style."""
    moments = {fault.moment for fault in spec.plan().faults} - ONLY_IN_TRACES
    off = [guard for guard in OFF if not getattr(spec.guards, guard)]
    faultless = bool(moments) and moments <= STYLES[spec.style].moments_without.keys()
    return faultless or (bool(off) and set(off) <= STYLES[spec.style].guards_without)


def about(spec: RunSpec, facts: dict[str, Any], folder: Path) -> dict[str, Any]:
    """run.json: everything needed to replay the run."""
    backends, policy = spec.backends, spec.policy()
    style = STYLES[spec.style]
    dead_guards = [g for g in style.guards_without if not getattr(spec.guards, g)]
    notes = [
        f"guard {guard} is off: no counterpart in {spec.style}" for guard in sorted(dead_guards)
    ]
    for moment in sorted({f.moment for f in spec.plan().faults} & style.moments_without.keys()):
        why = style.moments_without[moment]
        notes.append(f"fault {moment}: no counterpart in {spec.style}, {why}")
    if backends.pair == "mixed":
        notes.append("mixed backends: latency is not comparable between the styles")
    disturbed = any(f.moment in DISTURBANCES for f in spec.plan().faults)
    if disturbed:
        notes.append(
            "latency contains what was done to the coordinator: not comparable between the styles"
        )
    return {
        "schema": SCHEMA,
        "scenario": spec.scenario.name,
        "description": spec.scenario.description,
        "style": spec.style,
        "seed": spec.seed,
        "orders": spec.orders,
        "rate_per_s": spec.rate_per_s,
        "arrivals": str(spec.arrivals),
        "service_times": str(spec.times()),
        "variety": list(spec.variety),
        "bug": spec.bug,
        "redrive": spec.redrive,
        "reads_per_s": spec.reads_per_s,
        "guards": str(spec.guards),
        "saga": spec.saga.address,
        "step_order": spec.variant,
        "durability": spec.durability,
        "policy": asdict(policy),
        "pace": pace(policy, spec.times()),
        "plan": spec.plan().to_json(),
        "backends": {
            "broker": backends.broker_kind,
            "engine": backends.engine,
            "pair": backends.pair,
            "coordinator": style.coordinator(backends),
        },
        "processes": spec.processes,
        "customers_apart": spec.customers_apart,
        "evidence": spec.evidence,
        "trouble_every_s": spec.trouble_every_s,
        "tracing": {"sampling": spec.trace_sampling, "otlp": bool(spec.otlp)},
        "comparable": backends.pair != "mixed" and not disturbed,
        "no_counterpart": no_counterpart(spec),
        "notes": notes,
        "replay": replay_command(spec, folder),
        "started_utc": now_utc(),
        **facts,
    }


def replay_command(spec: RunSpec, folder: Path) -> str:
    """The command that does this run again. An address of a broker is left to SAGA_AMQP_URL: it may hold a password."""
    if spec.trouble_every_s:
        return _soak_command(spec)
    own = "://" in spec.backends.broker and spec.backends.node is None
    backends = as_options(
        spec.backends.broker if own else spec.backends.broker_kind, spec.backends.engine
    )
    parts = [
        f"saga run {spec.scenario.name} --style {spec.style} --orders {spec.orders}",
        f"--seed {spec.seed} {backends}",
        f"--rate {spec.rate_per_s:g} --time-scale {spec.time_scale:g}",
    ]
    kinds = as_option(spec.saga, spec.variety, spec.guards)
    unusual = {
        f"--guards={spec.guards}": spec.guards != Guards.all(),
        f"--durability {spec.durability}": spec.durability != "process",
        "--processes": spec.processes,
        "--customers-apart": spec.customers_apart,
        f"--trace-sampling {spec.trace_sampling:g}": spec.trace_sampling != 1,
        f"--arrivals {spec.arrivals}": spec.arrivals != Arrivals.POISSON,
        f"--service-times {spec.service_times}": spec.service_times is not None,
        f"--variety {kinds}": kinds != "usual",
        f"--bug {spec.bug}": bool(spec.bug),
        "--redrive": spec.redrive,
        f"--reads {spec.reads_per_s:g}": spec.reads_per_s != READS_PER_S,
    }
    parts += [option for option, said in unusual.items() if said]
    usual = Policy()
    parts += [
        f"{option} {getattr(spec.rules, name)}"
        for name, option in POLICY_OPTIONS.items()
        if getattr(spec.rules, name) != getattr(usual, name)
    ]
    if spec.saga.address != DEFAULT:
        parts.append(f"--saga {spec.saga.address}")
    if spec.variant != spec.saga.variant:
        parts.append(f"--step-order {spec.variant}")
    if spec.extra_plan.faults:
        parts.append(f"--plan {(folder / 'extra_plan.json').resolve()}")
    return " ".join(parts)


def _soak_command(spec: RunSpec) -> str:
    parts = [
        f"saga soak --style {spec.style} --orders {spec.orders} --seed {spec.seed}",
        f"--fault-every {spec.trouble_every_s:g} --at-once {spec.troubles_at_once}",
        f"--rate {spec.rate_per_s:g} --time-scale {spec.time_scale:g} --durability {spec.durability}",
    ]
    if not spec.processes:
        parts.append("--no-processes")
    if spec.saga.address != DEFAULT:
        parts.append(f"--saga {spec.saga.address}")
    return " ".join(parts)


def now_utc() -> str:
    """The time as run.json tells it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
