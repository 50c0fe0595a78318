"""Everything that can be reported on, found at or below a folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.arms import named
from bench.critical_path import PARTS, Segment, critical_path
from bench.results import RunRow, find_runs
from bench.service_map import Edge, service_map
from kernel.loading import load_saga
from kernel.saga import Saga
from report.decision.answer import Answer
from report.traceability import BROKEN, INTACT, Scored
from scenarios.campaigns import sweep
from scenarios.campaigns.ablation import Ablated
from scenarios.campaigns.mutants import campaign
from scenarios.campaigns.mutants.campaign import Row
from scenarios.campaigns.sweep import CellResult
from scenarios.evidence.evidence import order_ids, read_evidence
from scenarios.evidence.scores import score
from scenarios.runs.folder import read_json

SAMPLE = 50
"""Sagas of a run whose evidence is read: the first that came."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What a report is made of.

    `rows`: runs whose trace context was intact. `left_out`: what was found and could not be used, and why. `paths`: (scenario,
    arm) -> the critical paths of its traced sagas, `sampled` altogether. `edges`: arm -> its service map.
    """

    folder: Path
    rows: list[RunRow]
    left_out: list[str]
    scored: list[Scored] = field(default_factory=list)
    cells: list[CellResult] = field(default_factory=list)
    swept: Saga | None = None
    """The saga whose fault space the cells are."""
    ablated: list[Ablated] = field(default_factory=list)
    mutants: list[Row] = field(default_factory=list)
    mutated_by: list[str] = field(default_factory=list)
    """The commands that made the mutants."""
    paths: dict[tuple[str, str], list[list[Segment]]] = field(default_factory=dict)
    broken: list[RunRow] = field(default_factory=list)
    """Runs in which a service lost the trace context, on purpose."""
    answer: Answer | None = None
    """Which style suits a case of the user's, if she gave one."""
    swept_by: list[str] = field(default_factory=list)
    ablated_by: list[str] = field(default_factory=list)
    traced_by: list[str] = field(default_factory=list)
    """The commands that made the fault space, the safeguards and the traceability runs."""
    edges: dict[str, list[Edge]] = field(default_factory=dict)
    sampled: int = 0

    def parts(self) -> dict[tuple[str, str], dict[str, float]]:
        """(scenario, arm) -> mean ms of a saga's critical path, by part."""
        return {
            key: {
                part: 1000 * sum(s.lasted_s for path in paths for s in path if s.part == part) / len(paths)
                for part in PARTS
            }
            for key, paths in self.paths.items()
        }  # fmt: skip


def collect(folder: Path, *, told: Callable[[str], None] = lambda text: None) -> Found:
    """Everything at or below a folder. `told` hears what is being read.

    Raise UsageError if there is no complete run, or a file of another schema.
    """
    told("runs")
    every, left_out = find_runs(folder)
    every = [row for row in every if not _of_a_cell(row.folder, folder)] or every
    broken = named([row for row in every if row.context_broken])
    rows = named([row for row in every if not row.context_broken])
    every, rows = [*rows, *broken], rows or broken
    found = Found(folder=folder, rows=rows, left_out=left_out, broken=broken)
    for path in sorted(folder.rglob(sweep.CELLS)):
        found.cells += sweep.results(path.parent)
        found.swept = sweep.saga_of(path.parent)
        found.swept_by.append(sweep.command_of(path.parent))
    for path in sorted(folder.rglob("ablation.json")):
        document = read_json(path)
        found.ablated += [
            Ablated(**line | {"rules": tuple(line["rules"])}) for line in document["cells"]
        ]
        found.ablated_by.append(document["command"])
    for path in sorted(folder.rglob(campaign.RESULTS)):
        found.mutants += campaign.table(path.parent)
        found.mutated_by.append(campaign.campaign_of(path.parent).command())
    for path in sorted(folder.rglob("traceability.json")):
        found.traced_by.append(read_json(path)["command"])
    sagas: dict[tuple[str, str], list[dict[str, list[dict[str, object]]]]] = {}
    for row in every:
        if row.no_counterpart or not (row.folder / "evidence/definition.jsonl").exists():
            continue
        told(f"evidence of {row.folder.name}")
        kept = read_evidence(row.folder, order_ids(row.folder, most=SAMPLE))
        found.scored.append(
            Scored(
                scenario=row.scenario,
                style=row.style,
                arm=row.arm,
                context=BROKEN if row.context_broken else INTACT,
                scores=score(row.folder, kept),
            )
        )
        if not row.context_broken:
            sagas.setdefault((row.arm, row.saga.address), []).extend(kept.by_order.values())
            _add_parts(found, row, list(kept.by_order.values()))
    found.edges = {arm: service_map(load_saga(kind), some) for (arm, kind), some in sagas.items()}
    return found


def _of_a_cell(run: Path, below: Path) -> bool:
    """Whether a run was kept by a sweep or an ablation: it is a cell there, and no run of a suite."""
    above = [path for path in run.parents if path.is_relative_to(below)]
    return any((path / name).exists() for path in above for name in (sweep.CELLS, "ablation.json"))


def _add_parts(found: Found, row: RunRow, sagas: list[dict[str, list[dict[str, object]]]]) -> None:
    paths = [path for path in map(critical_path, sagas) if path]
    if paths and row.comparable:
        found.paths.setdefault((row.scenario, row.arm), []).extend(paths)
        found.sampled += len(paths)


def as_json(document: object) -> str:
    """A document of the report."""
    return json.dumps(document, indent=1) + "\n"
