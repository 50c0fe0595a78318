"""A run and its folder: begun, resumed, interrupted, failed or complete. What happens in between is in one_run.py."""

import asyncio
import secrets
import shutil
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel.alone import alone
from kernel.errors import Failure, UsageError, first
from scenarios.catalog.bugs import planted
from scenarios.judge.verdict import Judgement, Verdict
from scenarios.runs.folder import LOCK, WORK, RunFolder, verdict_document
from scenarios.runs.interrupted import INTERRUPTED, Interrupted, beside
from scenarios.runs.one_run import OneRun, Progress
from scenarios.runs.spec import RunSpec, about, now_utc

RESUMED = "resumed after an interruption: times contain it, and what was traced before it is lost"
_BROKEN = (Failure, OSError, UsageError, sqlite3.OperationalError)
"""What ends a run without a verdict on its sagas: something that the testbed stands on is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Where a run lies, and what became of it."""

    folder: Path
    verdict: Verdict


async def run(
    spec: RunSpec, *, runs: Path, facts: dict[str, Any], progress: Progress = lambda placed: None
) -> RunResult:
    """Carry out one run and leave its folder under `runs`.

    `facts`: machine and versions, for run.json. If cancelled, the folder is marked interrupted, and can be resumed.
    """
    folder = RunFolder.create(runs, scenario=spec.scenario.name, style=spec.style, seed=spec.seed)
    told = about(spec, facts, folder.path) | {"run_id": secrets.token_hex(6)}
    node = spec.backends.node
    alive = {"server": beside(folder.path, node.kept)} if node and node.kept else {}
    if spec.extra_plan.faults:
        folder.write("extra_plan.json", spec.extra_plan.to_json())
    (folder.path / WORK).mkdir()
    with _locked(folder.path):
        return await _carry_out(spec, folder, told, alive, progress, resumed=False)


def _locked(folder: Path) -> AbstractContextManager[None]:
    return alone(folder / LOCK, busy=f"somebody else is at work on {folder}: try again later")


async def resume(
    interrupted: Interrupted, *, broker: str = "", progress: Progress = lambda placed: None
) -> RunResult:
    """Take an interrupted run up where it was, over its databases and what its coordinator had, and judge it.

    `broker`: the address of the user's own server, if it ran over that. Raise UsageError if that is not possible, or somebody else is at it.
    """
    folder, told = RunFolder(interrupted.folder), dict(interrupted.about)
    alive = {"server": told.pop("server")} if "server" in told else {}
    told.pop("operator", None)
    told["resumed"] = told.get("resumed", 0) + 1
    told["comparable"] = False
    if RESUMED not in told["notes"]:
        told["notes"] = [*told["notes"], RESUMED]
    with _locked(folder.path):
        interrupted.check()
        async with interrupted.opened(broker) as backends:
            spec = interrupted.spec(backends)
            result = await _carry_out(spec, folder, told, alive, progress, resumed=True)
        if interrupted.data is not None:
            shutil.rmtree(interrupted.data, ignore_errors=True)
        return result


async def _carry_out(
    spec: RunSpec,
    folder: RunFolder,
    told: dict[str, Any],
    alive: dict[str, str],
    progress: Progress,
    *,
    resumed: bool,
) -> RunResult:
    """`told`: run.json; `alive`: what it says besides until the run is complete."""
    verdict = await _judged(spec, folder, told, alive, progress, resumed=resumed)
    folder.write("run.json", told | {"status": "complete", "ended_utc": now_utc()})
    shutil.rmtree(folder.path / WORK)
    return RunResult(folder=folder.path, verdict=verdict)


async def _judged(
    spec: RunSpec,
    folder: RunFolder,
    told: dict[str, Any],
    alive: dict[str, str],
    progress: Progress,
    *,
    resumed: bool,
) -> Verdict:
    folder.write("run.json", told | alive | {"status": "running"})
    try:
        with planted(spec.saga.address, spec.bug):
            return await OneRun(spec, folder, progress, told, alive, resumed=resumed).run()
    except _BROKEN as error:
        if resumed:
            raise _still_interrupted(folder, told | alive, error) from error
        return _unknown(folder, f"a part of the testbed failed: {error}")
    except BaseExceptionGroup as group:
        failed, rest = group.split(_BROKEN)
        if failed is None or rest is not None:
            folder.write("run.json", told | {"status": "failed", "error": repr(rest)})
            raise
        if resumed:
            raise _still_interrupted(folder, told | alive, first(failed)) from group
        return _unknown(folder, f"a part of the testbed failed: {first(failed)}")
    except asyncio.CancelledError:
        folder.write("run.json", told | alive | {"status": INTERRUPTED})
        raise
    except BaseException as error:
        folder.write("run.json", told | {"status": "failed", "error": repr(error)})
        raise


def _still_interrupted(
    folder: RunFolder, document: dict[str, Any], error: BaseException
) -> Failure:
    """What a run that could not be resumed ends with: its state stays for the next try."""
    folder.write("run.json", document | {"status": INTERRUPTED})
    return Failure(f"{folder.path} could not be resumed, and can be tried again: {error}")


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
