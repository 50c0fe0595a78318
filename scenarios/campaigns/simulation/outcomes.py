"""Jobs under virtual time: the same outcome as from a run folder, without a folder."""

from collections.abc import Sequence
from dataclasses import asdict

from scenarios.campaigns.jobs import Job, without_end
from scenarios.campaigns.outcome import Outcome, outcome_of
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import simulate
from scenarios.runs.environment import Backends


def schedule_of(job: Job, *, turns: int) -> Schedule:
    """A job as a schedule."""
    return Schedule(
        style=job.style,
        scenario=job.scenario,
        orders=job.orders,
        seed=job.seed,
        rate_per_s=job.rate_per_s,
        saga=job.saga,
        variant=job.variant,
        turns=turns,
        faults=job.plan,
        guards=job.guards,
        bug=job.bug,
        variety=job.variety,
    ).with_orders_named()


def simulated_outcome(job: Job, turns: int | None) -> Outcome:
    """What became of a job under virtual time. `turns`: see simulate."""
    spec = job.spec(Backends())
    simulated = simulate(spec, turns=turns, bug=job.bug)
    if simulated.ended is None or simulated.failure:
        return without_end(job, simulated.failure)
    ended = simulated.ended
    struck = {injection.order_id for injection in ended.injections}
    return outcome_of(
        job.key,
        ended.verdict,
        plan=spec.plan(),
        injections=map(asdict, ended.injections),
        operations=(
            row["operation"]
            for name in spec.saga.services
            for row in ended.ledgers[name]["ledger"]
            if row["order_id"] in struck
        ),
    )


def simulated_outcomes(jobs: Sequence[Job], turns: int) -> list[Outcome]:
    """What became of several."""
    return [simulated_outcome(job, turns) for job in jobs]
