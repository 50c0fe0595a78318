"""The claims of an exhibit put to the test: runs first, under virtual time or in real time, then what the proofs make of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.exhibits.exhibit import CORRECTED, DESCRIBED, Claim, Exhibit, Played, Shown
from kernel.errors import Failure
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.simulation.simulated import simulate
from scenarios.runs.environment import Backends
from scenarios.runs.runner import run

Play = Callable[[Sequence[Job]], Mapping[str, Played]]
"""Runs every job; key -> its run."""
Progress = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A claim, and what was found in each edition that was looked at. `missed`: what keeps it from being true, "" = it holds."""

    claim: Claim
    editions: Mapping[str, tuple[Shown, ...]]
    missed: str

    @property
    def holds(self) -> bool:
        """Whether the claim is true of what was looked at."""
        return not self.missed


def simulated(jobs: Sequence[Job], *, progress: Progress = lambda: None) -> dict[str, Played]:
    """Every job under virtual time. Raise Failure if one does not come to its end."""
    played = {}
    for job in jobs:
        found = simulate(job.spec(Backends()), turns=None, redrive=False)
        if found.ended is None or found.failure:
            raise Failure(f"{job.key} did not come to its end: {found.failure}")
        played[job.key] = Played(verdict=found.ended.verdict, ledgers=found.ended.ledgers)
        progress()
    return played


async def in_real_time(
    jobs: Sequence[Job], backends: Backends, runs: Path, *, progress: Progress
) -> dict[str, Played]:
    """Every job over these backends, one after the other, each in a run folder below `runs`."""
    played = {}
    for job in jobs:
        result = await run(replace(job.spec(backends), evidence=True), runs=runs, facts={})
        played[job.key] = Played(verdict=result.verdict, folder=str(result.folder))
        progress()
    return played


def jobs_of(exhibits: Sequence[Exhibit], editions: Sequence[str]) -> list[Job]:
    """The runs that the claims of exhibits need, each once."""
    found: dict[str, Job] = {}
    for exhibit in exhibits:
        for claim in exhibit.claims:
            for edition in looked_at(claim, editions):
                for proof in claim.proofs:
                    found |= {job.key: job for job in proof.jobs(exhibit.address(edition))}
    return list(found.values())


def try_claims(
    exhibit: Exhibit,
    editions: Sequence[str],
    played: Mapping[str, Played],
    *,
    progress: Progress = lambda: None,
) -> list[Tried]:
    """What became of each claim. `played`: the runs of jobs_of."""
    tried = []
    for claim in exhibit.claims:
        found = {
            edition: tuple(
                shown
                for proof in claim.proofs
                for shown in proof.attempt(exhibit.address(edition), played)
            )
            for edition in looked_at(claim, editions)
        }
        if found:
            tried.append(Tried(claim=claim, editions=found, missed=_missed(claim, found)))
        progress()
    return tried


def looked_at(claim: Claim, editions: Sequence[str]) -> list[str]:
    """The editions, of those that are wanted, in which a claim has to be tried."""
    every = (CORRECTED,) if claim.about == CORRECTED else (DESCRIBED, CORRECTED)
    return [edition for edition in every if edition in editions]


def _missed(claim: Claim, found: Mapping[str, Sequence[Shown]]) -> str:
    """What was expected and not found, and what was found instead."""
    for edition, shown in found.items():
        for one in shown:
            where = f"{edition}, {one.style}" if one.style else edition
            if edition == claim.about and not one.shown:
                return f"{where}: expected to be seen, found: {one.found}"
            if edition != claim.about and (one.shown or not one.clean):
                return f"{where}: expected to be sound, found: {one.found}"
    return ""
