"""Which run a user means by an order: the newest that knows it, alive or finished."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.arms import guards_in_words
from choreography.rabbit_connection import AMQP_VARIABLE
from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from kernel.timeline import Evidence
from report.text_table import plain
from scenarios.evidence.evidence import order_ids, read_evidence
from scenarios.runs.control_socket import DistantOperator
from scenarios.runs.folder import WORK, is_run, read_json
from scenarios.runs.interrupted import INTERRUPTED, Interrupted, status_of
from testbed.execution import run_until_done

FINISHED, RUNNING = "complete", "running"
MOST_OTHERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An order in a run, and all evidence about it by now."""

    folder: Path
    about: dict[str, Any]
    status: str
    order_id: str
    evidence: Evidence
    others: tuple[Path, ...] = ()
    """Older runs that know an order of this name, the newest first."""

    @property
    def arm(self) -> str:
        """Scenario, style and safeguards, in words."""
        return arm_in_words(self.about)

    @property
    def alive(self) -> bool:
        """Whether the run still goes on."""
        return self.status == RUNNING

    @property
    def interrupted(self) -> bool:
        """Whether it was killed or interrupted."""
        return self.status == INTERRUPTED

    @property
    def saga(self) -> Saga:
        """The run's saga."""
        return load_saga(self.about.get("saga", DEFAULT))

    @property
    def style(self) -> str:
        """The run's style."""
        return str(self.about["style"])

    def judged(self) -> dict[str, str]:
        """What the judge said of the order in a finished run; nothing of one that is not over."""
        if self.status != FINISHED:
            return {}
        verdict = next(
            (
                o
                for o in read_json(self.folder / "verdict.json")["orders"]
                if o["order_id"] == self.order_id
            ),
            None,
        )
        if verdict is None:
            return {}
        why = f", {verdict['why']}" if verdict["why"] else ""
        broken = f"; broken: {'; '.join(verdict['rules'])}" if verdict.get("rules") else ""
        words = f"{verdict['order_class']}{why}{broken} (from the ledgers, not from this evidence)"
        return {"class": str(verdict["order_class"]), "words": words}


def arm_in_words(about: dict[str, Any]) -> str:
    """Scenario, style, safeguards and seed of a run."""
    guards = guards_in_words(about["guards"])
    return f"{about['scenario']}, {about['style']}, {guards}, seed {about['seed']}"


def find_order(order_id: str, below: Path) -> Known:
    """The newest run at or below a folder that knows the order, with the others that do. Raise UsageError if there is none."""
    folders = newest_first(below)
    for number, folder in enumerate(folders):
        if not is_run(folder / "run.json"):
            continue
        about = read_json(folder / "run.json")
        status = status_of(folder, about)
        if status == RUNNING and about.get("operator"):
            found = _ask(order_id, folder, about)
        elif status == FINISHED and order_id in order_ids(folder):
            found = Known(
                folder=folder,
                about=about,
                status=status,
                order_id=order_id,
                evidence=read_evidence(folder, [order_id]).by_order[order_id],
            )
        elif status == INTERRUPTED and (folder / WORK).is_dir():
            found = _look(order_id, Interrupted(folder, about))
        else:
            found = None
        if found is not None:
            return replace(found, others=tuple(_older(order_id, folders[number + 1 :])))
    raise UsageError(f"no run at or below {below} knows an order {order_id!r}: see orders.jsonl of a run, or give --run")  # fmt: skip


def _older(order_id: str, folders: Sequence[Path]) -> Iterator[Path]:
    """The finished runs that know an order of this name."""
    for folder in folders:
        with contextlib.suppress(UsageError):  # a damaged run is not asked for
            if is_run(folder / "run.json") and order_id in order_ids(folder):
                yield folder


def newest_first(below: Path) -> list[Path]:
    """The run folders at or below a folder. Raise UsageError if there is no such folder."""
    if not below.is_dir():
        raise UsageError(f"{below} is not a folder: give a run folder, or a folder of run folders")
    found = [path.parent for path in below.rglob("run.json")]
    return sorted(found, key=lambda folder: (folder / "run.json").stat().st_mtime, reverse=True)


def _ask(order_id: str, folder: Path, about: dict[str, Any]) -> Known | None:
    """What a living run knows of the order; None if it knows nothing, or lives no more."""
    try:
        evidence = run_until_done(DistantOperator(about["operator"]).evidence(order_id))
    except UsageError:
        return None
    if not any(rows for source, rows in evidence.items() if source != "definition"):
        return None
    return Known(folder=folder, about=about, status=RUNNING, order_id=order_id, evidence=evidence)


def _look(order_id: str, run: Interrupted) -> Known | None:
    """What is left of an interrupted run about the order; None if it was not to place it."""
    if order_id not in run.order_ids():
        return None

    async def evidence() -> Evidence:
        async with run.at_rest(os.environ.get(AMQP_VARIABLE, "")) as system:
            return {**await system.evidence(order_id), "service_log": run.log_of(order_id)}

    found = run_until_done(evidence())
    return Known(
        folder=run.folder,
        about=run.about,
        status=INTERRUPTED,
        order_id=order_id,
        evidence=found,
    )


def say_which(known: Known) -> None:
    """Which run is meant, and which others there are: an order has the same name in every one of them."""
    print(plain(f"{known.order_id}: {known.arm}"))
    print(f"  in {known.folder}{', which was interrupted' if known.interrupted else ''}")
    if known.others:
        n = len(known.others)
        what = "1 other run knows" if n == 1 else f"{n} other runs know"
        print(f"  {what} this name too; choose one with --run:")
        for folder in known.others[:MOST_OTHERS]:
            print(plain(f"    --run {folder} ({arm_in_words(read_json(folder / 'run.json'))})"))
