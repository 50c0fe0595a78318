"""Judging the judge: every planted bug in every style that can have it, the same scenarios without a bug, and thousands of clean sagas."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import UsageError, nearest
from kernel.saga import Saga
from scenarios.campaigns.jobs import Job, run_jobs
from scenarios.campaigns.outcome import Outcome
from scenarios.catalog.bug import Bug
from scenarios.catalog.bugs import bugs_of
from scenarios.catalog.index import scenarios_of
from scenarios.judge.verdict import Judgement
from scenarios.runs.variety import kinds_of
from scenarios.styles.index import STYLES

ORDERS, RATE_PER_S, TIME_SCALE = 12, 60.0, 0.03
CLEAN_ORDERS, CLEAN_RATE_PER_S, CLEAN_AT_ONCE, CLEAN_TIME_SCALE = 100, 100.0, 4, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One bug in one style: in how many runs it was found, by which rules, and whether the rule that should find it is among them.

    `false_alarms`: how many of the same runs without the bug were not judged consistent.
    """

    bug: str
    words: str
    style: str
    scenario: str
    faults: list[str]
    expected: str
    runs: int
    detected: int
    rules: list[str]
    false_alarms: int

    @property
    def right(self) -> bool:
        """Found in every run, by the rule that should, and nothing found where nothing is."""
        return self.detected == self.runs and not self.false_alarms


def chosen_bugs(saga: Saga, names: Iterable[str]) -> list[Bug]:
    """Bugs by name; all of them if none is named. Raise UsageError for a name that is none."""
    known = bugs_of(saga.address)
    for name in names:
        if name not in known:
            raise UsageError(f"unknown bug {name!r}{nearest(name, known)}: saga list shows them")
    return [known[name] for name in names] or list(known.values())


def jobs_of(saga: Saga, bugs: Iterable[Bug], *, runs: int, seed: int) -> list[Job]:
    """`runs` runs of every bug in every style that can have it, and of the same scenarios without it, once for all bugs."""
    jobs: dict[str, Job] = {}
    for bug in bugs:
        for style in bug.found_by:
            for number in range(seed, seed + runs):
                for planted in (bug.name, ""):
                    key = _key(bug, style, number, planted=planted)
                    jobs.setdefault(
                        key,
                        Job(
                            key=key,
                            saga=saga.address,
                            scenario=bug.scenario,
                            style=style,
                            orders=ORDERS,
                            seed=number,
                            time_scale=TIME_SCALE,
                            rate_per_s=RATE_PER_S,
                            plan=bug.plan,
                            bug=planted,
                        ),
                    )
    return list(jobs.values())


def check(
    saga: Saga,
    bugs: list[Bug],
    *,
    runs: int,
    seed: int,
    folder: Path,
    done: Callable[[], None],
) -> list[Finding]:
    """Carry them out on the embedded pair, one at a time in each worker: a planted bug is in all of a process."""
    outcomes: dict[str, Outcome] = {}

    def note(outcome: Outcome) -> None:
        outcomes[outcome.key] = outcome
        done()

    run_jobs(
        jobs_of(saga, bugs, runs=runs, seed=seed),
        broker="memory",
        engine="inprocess",
        at_once=1,
        runs=folder,
        keep=lambda outcome: False,
        done=note,
    )
    findings = []
    for bug in bugs:
        for style, rule in bug.found_by.items():
            numbers = range(seed, seed + runs)
            with_bug = [outcomes[_key(bug, style, n, planted=bug.name)] for n in numbers]
            without = [outcomes[_key(bug, style, n, planted="")] for n in numbers]
            findings.append(
                Finding(
                    bug=bug.name,
                    words=bug.words,
                    style=style,
                    scenario=bug.scenario,
                    faults=[str(fault) for fault in bug.faults],
                    expected=str(rule),
                    runs=runs,
                    detected=sum(rule in rules_of(outcome) for outcome in with_bug),
                    rules=sorted({r for outcome in with_bug for r in rules_of(outcome)}),
                    false_alarms=sum(o.judgement != Judgement.CONSISTENT for o in without),
                )
            )
    return findings


def rules_of(outcome: Outcome) -> set[str]:
    """The rules that a run broke."""
    return {*outcome.laws, *(rule for _, _, rules in outcome.orders for rule in rules)}


def clean_jobs(saga: Saga, sagas: int, *, seed: int) -> list[Job]:
    """Every scenario in every style with every safeguard and no bug, seed after seed, until so many sagas have been placed."""
    jobs: list[Job] = []
    number = seed
    while len(jobs) * CLEAN_ORDERS < sagas:
        jobs += [
            Job(
                key=f"{name} {style} {number}",
                saga=saga.address,
                scenario=name,
                style=style,
                orders=CLEAN_ORDERS,
                seed=number,
                time_scale=CLEAN_TIME_SCALE,
                rate_per_s=CLEAN_RATE_PER_S,
                variety=kinds_of(saga),
                redrive=True,
            )
            for name in scenarios_of(saga)
            for style in STYLES
        ]
        number += 1
    return jobs[: -(-sagas // CLEAN_ORDERS)]


def check_clean(
    saga: Saga, sagas: int, *, seed: int, folder: Path, done: Callable[[Outcome], None]
) -> list[Outcome]:
    """Carry clean sagas out; the runs that were not judged CONSISTENT: false alarms. Their folders are kept.

    An order that ended well, but otherwise than its scenario says, is none: crashes that meet can use up a budget.
    """
    alarms: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        if alarm(outcome):
            alarms.append(outcome)
        done(outcome)

    run_jobs(
        clean_jobs(saga, sagas, seed=seed),
        broker="memory",
        engine="inprocess",
        at_once=CLEAN_AT_ONCE,
        runs=folder,
        keep=alarm,
        done=note,
    )
    return alarms


def alarm(outcome: Outcome) -> bool:
    """Whether the judge says of a clean run that something is wrong, or that it does not know."""
    return outcome.judgement != Judgement.CONSISTENT


def _key(bug: Bug, style: str, seed: int, *, planted: str) -> str:
    return f"{planted}|{bug.scenario}|{bug.faults}|{style}|{seed}"
