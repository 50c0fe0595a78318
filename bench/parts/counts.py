"""What one saga needs on any platform: hops, messages, acks, durable writes, transitions, bytes. Counted, not timed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.experiment import Effort, Lab, Result, Trial
from kernel.errors import Failure
from scenarios.catalog.index import scenarios_of
from scenarios.evidence.evidence import order_ids, read_evidence
from scenarios.evidence.traced import is_hop
from scenarios.runs.folder import read_json
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA

STORY, ORDERS, TIME_SCALE = "undeliverable", 8, 0.1
"""Every second order is committed, every other one turned back at the last step that can refuse."""
PATHS = {"committed": "five steps", "compensated": "four steps and three compensations"}


class Counts:
    """Evidence, counted."""

    name = "counts"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        del effort, real
        for style in STYLES:
            yield Trial(part=self.name, arm=style, round=0, about_s=3.0, settings={"style": style})

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: path -> what -> how many per saga, the least and the most of the sagas on that path."""
        spec = RunSpec(
            saga=SAGA,
            variant=SAGA.variant,
            scenario=scenarios_of(SAGA)[STORY],
            style=trial.settings["style"],
            orders=ORDERS,
            seed=lab.seed,
            backends=lab.backends(),
            rate_per_s=20.0,
            time_scale=TIME_SCALE,
            durability=lab.durability,
        )
        result = await run(spec, runs=folder, facts={})
        if not result.verdict.as_expected:
            raise Failure(f"the run did not end as expected: {result.verdict.counts()}")
        evidence = read_evidence(result.folder, order_ids(result.folder)).by_order
        orders = read_json(result.folder / "verdict.json")["orders"]
        classes = {order["order_id"]: order["order_class"] for order in orders}
        paths: dict[str, list[dict[str, int]]] = {path: [] for path in PATHS}
        for order_id, found in evidence.items():
            paths[classes[order_id]].append(counted(found))
        told = {
            path: {what: [min(c[what] for c in of), max(c[what] for c in of)] for what in of[0]}
            for path, of in paths.items()
        }
        return {"style": spec.style, "paths": told}


def counted(evidence: dict[str, list[dict[str, Any]]]) -> dict[str, int]:
    """What one saga's evidence holds."""
    spans = evidence["trace"]
    hops = sum(map(is_hop, spans))
    transactions = sum(span["name"] == "transaction" for span in spans)
    audit = evidence.get("audit", [])
    events = [event for history in evidence.get("histories", []) for event in history["events"]]
    published = len(audit)
    calls = sum(event["type"] == "LambdaFunctionScheduled" for event in events)
    told = [e.get(f"{e['type'][0].lower()}{e['type'][1:]}EventDetails", {}) for e in events]
    wire = ("ExecutionStarted", "LambdaFunctionScheduled", "LambdaFunctionSucceeded")
    carried = [d for e, d in zip(events, told, strict=True) if e["type"] in wire]
    bodies = [row["body"] for row in audit] or [d.get("input") or d.get("output") or "" for d in carried]  # fmt: skip
    return {
        "hops: a service is reached": hops,
        "messages: requests, events and answers": published or 1 + 2 * calls,
        "confirms and acks besides": published + hops if published else 0,
        "commits of services": transactions,
        "rows that the coordinator keeps": published + hops if published else len(events),
        "outbox rows marked": published - 1 if published else 0,
        "state transitions": sum(e["type"].endswith("StateEntered") for e in events),
        "bytes of bodies": sum(len(body.encode()) for body in bodies),
    }
