"""Jobs under virtual time: the same outcome as from a run folder, without a folder."""

from collections.abc import Sequence

from scenarios.jobs import Job, without_end
from scenarios.outcome import Outcome
from scenarios.planned_faults import without_effect
from scenarios.setting import Backends
from scenarios.simulation.schedule import Schedule
from scenarios.simulation.simulated import simulate
from shared_domain.participants import NAMES


def schedule_of(job: Job, *, turns: int) -> Schedule:
    """A job as a schedule."""
    return Schedule(
        style=job.style,
        scenario=job.scenario,
        orders=job.orders,
        seed=job.seed,
        rate_per_s=job.rate_per_s,
        step_order=job.step_order,
        turns=turns,
        faults=job.plan,
        guards=job.guards,
        bug=job.bug,
    ).with_orders_named()


def simulated_outcome(job: Job, turns: int | None) -> Outcome:
    """What became of a job under virtual time. `turns`: see simulate."""
    spec = job.spec(Backends())
    simulated = simulate(spec, turns=turns, bug=job.bug)
    if simulated.ended is None or simulated.failure:
        return without_end(job, simulated.failure)
    ended, plan = simulated.ended, spec.plan()
    faults = [[0, 0, 0] for _ in plan.faults]
    for injection in ended.injections:
        for place, happened in enumerate((injection.reached, injection.struck, injection.changed)):
            faults[injection.fault][place] += happened
    idle = without_effect(plan, {number for number, counts in enumerate(faults) if counts[1]})
    struck = {i.order_id for i in ended.injections}
    verdict = ended.verdict
    return Outcome(
        key=job.key,
        judgement=verdict.judgement,
        as_expected=verdict.as_expected,
        classes={name: n for name, n in verdict.counts().items() if n},
        orders=[[o.order_class, o.lied, o.rules] for o in verdict.orders],
        laws=[law.law for law in verdict.laws if not law.held],
        problems=verdict.problems,
        failures=[problem for problem in verdict.problems if problem not in idle],
        faults=faults,
        operations=sorted(
            {
                row["operation"]
                for name in NAMES
                for row in ended.ledgers[name]["ledger"]
                if row["order_id"] in struck
            }
        ),
        replay="",
    )


def simulated_outcomes(jobs: Sequence[Job], turns: int) -> list[Outcome]:
    """What became of several."""
    return [simulated_outcome(job, turns) for job in jobs]
