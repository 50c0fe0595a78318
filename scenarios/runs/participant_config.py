"""What every participant's process of a run has to know: a file in the run's working folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kernel.environment import Environment
from kernel.guards import Guards
from kernel.loading import load_saga
from kernel.policy import Policy
from kernel.ports import Clock, Faults, Tracer
from scenarios.faults.plan import FaultPlan
from scenarios.runs.workload import ServiceTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantConfig:
    """One run, as its participants see it."""

    prefix: str
    saga: str
    variant: str
    durability: str
    policy: Policy
    guards: Guards
    plan: FaultPlan
    order_ids: list[str]
    seed: int
    trace_sampling: float
    otlp: str
    service_times: ServiceTimes

    def environment(self, *, faults: Faults, tracer: Tracer, clock: Clock) -> Environment:
        """What the participant shares with the others of its run."""
        return Environment(
            saga=load_saga(self.saga),
            variant=self.variant,
            policy=self.policy,
            guards=self.guards,
            faults=faults,
            tracer=tracer,
            clock=clock,
            durability=self.durability,
        )

    def write(self, folder: Path) -> None:
        """Leave it in `folder`."""
        document = {
            "prefix": self.prefix,
            "saga": self.saga,
            "variant": self.variant,
            "durability": self.durability,
            "policy": asdict(self.policy),
            "guards": str(self.guards),
            "plan": self.plan.to_json(),
            "order_ids": self.order_ids,
            "seed": self.seed,
            "trace_sampling": self.trace_sampling,
            "otlp": self.otlp,
            "service_times": str(self.service_times),
        }
        (folder / "participant_config.json").write_text(json.dumps(document), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "ParticipantConfig":
        """What `write` left."""
        document: dict[str, Any] = json.loads(
            (folder / "participant_config.json").read_text(encoding="utf-8")
        )
        return cls(
            **document
            | {
                "policy": Policy(**document["policy"]),
                "guards": Guards.parse(document["guards"]),
                "service_times": ServiceTimes.parse(document["service_times"]),
                "plan": FaultPlan.from_json(document["plan"]),
            }
        )


def faults_path(folder: Path, name: str) -> Path:
    """Where a participant's process records what struck it."""
    return folder / f"{name}.faults.jsonl"


def spans_path(folder: Path, name: str) -> Path:
    """Where a participant's process leaves its spans, one JSON object per line."""
    return folder / f"{name}.spans.jsonl"


def log_path(folder: Path, name: str) -> Path:
    """Where a participant's process writes its log, one JSON object per line."""
    return folder / f"{name}.log.jsonl"
