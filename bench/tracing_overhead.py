"""What tracing costs: sagas per second with no evidence kept, and with 0, 10 and 100 % of the traces: `python -m bench.tracing_overhead`.

Every arm is run once per round, in an order drawn again; ratios are within a round, so that a slow minute hits all arms alike.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from kernel import event_loop
from kernel.errors import Failure
from kernel.scratch import scratch
from scenarios.catalog.index import scenarios_of
from scenarios.judge.verdict import Judgement
from scenarios.runs.backends import open_backends
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA

ARMS: dict[str, tuple[bool, float]] = {
    "nothing kept": (False, 0.0),
    "logs and audit, no traces": (True, 0.0),
    "10 % of traces": (True, 0.1),
    "all traces": (True, 1.0),
}
"""Name -> (whether evidence is kept, sampling ratio)."""
ALL_AT_ONCE_PER_S = 10_000.0
TIME_SCALE = 0.2
"""A run settles for twice its longest retry."""
RESAMPLES = 2000


async def measure(orders: int, rounds: int, broker: str) -> dict[tuple[str, str], list[float]]:
    """(style, arm) -> sagas per second, one per round. Raise Failure if a run is not consistent."""
    found: dict[tuple[str, str], list[float]] = {(s, a): [] for s in STYLES for a in ARMS}
    chance = random.Random(1)
    engine = "inprocess" if broker == "memory" else "embedded"
    with scratch("overhead") as folder:
        async with open_backends(broker, engine) as backends:
            for number in range(rounds):
                arms = list(found)
                chance.shuffle(arms)
                for style, arm in arms:
                    rate = await _rate(style, arm, orders, number, backends, folder)
                    found[style, arm].append(rate)
    return found


async def _rate(
    style: str, arm: str, orders: int, seed: int, backends: Backends, folder: Path
) -> float:
    kept, sampling = ARMS[arm]
    spec = RunSpec(
        saga=SAGA,
        variant=SAGA.variant,
        scenario=scenarios_of(SAGA)["happy_path"],
        style=style,
        orders=orders,
        seed=seed,
        backends=backends,
        rate_per_s=ALL_AT_ONCE_PER_S,
        time_scale=TIME_SCALE,
        evidence=kept,
        trace_sampling=sampling,
    )
    result = await run(spec, runs=folder, facts={})
    if result.verdict.judgement != Judgement.CONSISTENT and not result.verdict.overloaded():
        raise Failure(f"{style}, {arm}: {result.verdict.judgement}: nothing may be measured")
    return orders / _took_s(result.folder)


def _took_s(folder: Path) -> float:
    """From the first customer to the last saga's end."""
    begun = min(line["intended_mono_s"] for line in read_lines(folder / "orders.jsonl"))
    rows = [row for row in read_lines(folder / "ledgers.jsonl") if row["table"] == "ledger"]
    assert read_json(folder / "verdict.json")["classes"]["committed"]
    return max(float(row["mono_s"]) for row in rows) - float(begun)


def _interval(ratios: Sequence[float]) -> str:
    """The median of ratios with a bootstrap interval over rounds."""
    chance = np.random.default_rng(1)
    draws = chance.choice(np.asarray(ratios), size=(RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return f"{np.median(ratios):.2f} ({low:.2f}-{high:.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.tracing_overhead", description=__doc__)
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--broker", default="memory", choices=["memory", "rabbitmq"])
    asked = parser.parse_args()
    found = event_loop.run(measure(asked.orders, asked.rounds, asked.broker))
    table = Table(
        "style", "evidence", "sagas/s", "of nothing kept (95 %)", "of no traces (95 %)",
        title=f"{asked.orders} sagas at once, {asked.rounds} rounds, {asked.broker}", title_justify="left",
    )  # fmt: skip
    bare, untraced = list(ARMS)[:2]
    for (style, arm), rates in found.items():
        told = [
            _interval([a / b for a, b in zip(rates, found[style, baseline], strict=True)])
            for baseline in (bare, untraced)
        ]
        table.add_row(style, arm, f"{np.median(rates):.0f}", *told)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
