"""`saga replay`, and what is said of real runs beside simulated ones."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from report.exploration import agreement_table
from scenarios.campaigns.simulation.agreement import VARIATIONS, Agreement, compare
from scenarios.campaigns.simulation.finding import finding
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import digest, play
from scenarios.campaigns.simulation.story import story
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed import settings
from testbed.execution import say_backends, wide
from testbed.options import AsJson, Broker, Engine, Out
from testbed.runs import suite_folder

REAL_TIME_SCALE = 0.1
"""Shorter deadlines would measure how busy two cores are."""
RealTimeScale = Annotated[
    float, typer.Option(min=0.01, max=100, help="Factor on every wait of the real runs.")
]


def replay(
    file: Annotated[Path, typer.Argument(help="A schedule file that saga explore wrote.")],
    simulated_only: Annotated[
        bool, typer.Option("--simulated", help="Simulate only, under virtual time.")
    ] = False,
    broker: Broker = "auto",
    engine: Engine = "auto",
    time_scale: RealTimeScale = REAL_TIME_SCALE,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Replay a schedule step by step in simulation, then on real backends, and compare the outcomes.

    Exit code 0 = they agree, 1 = they do not, 3 = the real run said nothing; with --simulated: 0 = nothing is wrong, 1 = something is.
    """
    schedule = Schedule.read(file)
    simulated = play(schedule)
    found = finding(schedule, simulated)
    lines = story(schedule, simulated, found)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "log": digest(simulated),
        "rules": list(found.rules) if found else [],
        "story": lines,
    }
    if not as_json:
        print("\n".join(lines))
        print(f"\nEvent log: {digest(simulated)}")
    code = Exit.NOT_AS_EXPECTED if found else Exit.AS_EXPECTED
    if not simulated_only:
        chosen, chosen_engine = backends(broker, engine)
        folder = suite_folder(out, "replay")
        (agreement,) = compare(
            [(1, schedule)],
            broker=chosen,
            engine=chosen_engine,
            time_scale=time_scale,
            runs=folder / "runs",
        )
        document["agreement"] = agreement_json(agreement)
        code = agreement_code([agreement])
        if not as_json:
            print(verdict_on(agreement))
    if as_json:
        print(json.dumps(document | {"ok": code == Exit.AS_EXPECTED, "exit_code": code}))
    raise typer.Exit(code)


def backends(broker: str, engine: str) -> tuple[str, str]:
    """What the user chose, once it has answered. Raise UsageError if it does not."""
    chosen = settings.choose_broker(broker)
    chosen_engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, chosen_engine)
    asyncio.run(settings.check_backends(chosen, chosen_engine))
    return chosen, chosen_engine


def agreement_code(agreed: Sequence[Agreement]) -> Exit:
    """Another end that the simulation knows too is no disagreement."""
    if any(a.real and not a.agrees and not a.reached for a in agreed):
        return Exit.NOT_AS_EXPECTED
    return Exit.UNKNOWN if any(not a.real for a in agreed) else Exit.AS_EXPECTED


def verdict_on(one: Agreement) -> str:
    """One real run in a sentence."""
    if not one.real:
        return f"The real run said nothing: {one.why}"
    if one.agrees:
        return f"The real stack agrees: {_ends(one.real)}."
    told = "does so too, in another order" if one.reached else "never does"
    laws = f" with broken laws ({', '.join(one.laws[1])})" if one.laws[1] else ""
    return f"The real stack ended as {_ends(one.real)}{laws}, the simulation as {_ends(one.simulated)}; in {VARIATIONS} variations it {told}: {one.folder}"  # fmt: skip


def print_agreement(agreed: Sequence[Agreement]) -> None:
    """The table, and a line for each real run that ended otherwise."""
    wide().print(agreement_table(agreed))
    for one in agreed:
        if not one.agrees:
            print(f"schedule {one.number}, {one.schedule.style}: {verdict_on(one)}")


def _ends(ends: Sequence[tuple[str, bool]]) -> str:
    return ", ".join(f"{name} and lied to" if lied else name for name, lied in ends)


def agreement_json(one: Agreement) -> dict[str, Any]:
    """One real run as a JSON object."""
    return {
        "number": one.number,
        "style": one.schedule.style,
        "simulated": one.simulated,
        "real": one.real,
        "agrees": one.agrees,
        "reached": one.reached,
        "why": one.why,
        "folder": one.folder,
    }
