"""`saga explore` and `saga replay`."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.latency import proportion
from report.exploration import agreement_table, hunted_markdown, hunted_table, kinds_table
from scenarios.oracle_check import chosen_bugs
from scenarios.run_folder import SCHEMA
from scenarios.simulation.agreement import VARIATIONS, Agreement, compare
from scenarios.simulation.explore import Explored, smallest
from scenarios.simulation.explore import explore as explore_space
from scenarios.simulation.finding import Finding, rules_of
from scenarios.simulation.hunt import Hunted, hunt
from scenarios.simulation.schedule import Schedule, Space
from scenarios.simulation.shrink import look, size
from scenarios.simulation.simulated import digest, simulate
from scenarios.simulation.story import story
from scenarios.verdict import Exit
from shared_domain.errors import Failure, UsageError
from shared_domain.guards import Guards
from testbed import settings
from testbed.carrying_out import say_backends, wide
from testbed.counting import counting
from testbed.options import AsJson, Broker, Engine, Out, Seed
from testbed.suite import suite_folder

REAL_TIME_SCALE = 0.1
"""Shorter deadlines would measure how busy two cores are."""
MOST_TOLD = 60
STORIES = """# One story for each planted bug

Made by `saga explore --every-bug --runs 5000`: what is left of the first schedule in which each bug of [planted_bugs.md](planted_bugs.md) showed, once everything is left out
that it shows without. Times are seconds of the policy; a `*` is a fault that strikes; every other line is a row in a participant's ledger, or a call that brought none.
See [simulation.md](simulation.md).
"""
RealTimeScale = Annotated[
    float, typer.Option(min=0.01, max=100, help="Multiplies every wait of the real runs.")
]


def explore(
    runs: Annotated[int, typer.Option(min=1, max=10_000_000, help="Schedules.")] = 10_000,
    faults: Annotated[
        str, typer.Option(help="Fewest and most of a run: 0..3, or one number.")
    ] = "0..3",
    style: Annotated[str, typer.Option(help="both, or names with commas.")] = "both",
    seed: Seed = 1,
    guards: Annotated[
        str, typer.Option(help="all, none, or those to switch off: --guards=-outbox,-inbox")
    ] = "all",
    bug: Annotated[
        str, typer.Option(help="A planted bug from saga list that is to be found.")
    ] = "",
    every_bug: Annotated[
        bool,
        typer.Option("--every-bug", help="Hunt each planted bug, at most --runs schedules long."),
    ] = False,
    collect: Annotated[
        bool,
        typer.Option(
            "--collect", help="Go on after the first thing wrong; the same kind counts once."
        ),
    ] = False,
    check_real: Annotated[
        int,
        typer.Option(
            min=0, max=100_000, help="Replay so many of the schedules on real backends, too."
        ),
    ] = 0,
    broker: Broker = "auto",
    engine: Engine = "auto",
    time_scale: RealTimeScale = REAL_TIME_SCALE,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Thousands of schedules a minute under virtual time; what is wrong is shrunk and told as a story.

    Exit code 1 = something is wrong that should not be; with a planted bug: it was not found.
    """
    Guards.parse(guards)
    styles, bounds = settings.choose_styles(style), _bounds(faults)
    if every_bug:
        if bug or check_real or collect or guards != "all":
            raise UsageError(
                "--every-bug goes with none of --bug, --collect, --guards and --check-real"
            )
        _hunt(styles, bounds, runs=runs, seed=seed, out=out, as_json=as_json)
    space = Space(styles=styles, faults=bounds, seed=seed, guards=guards, bug=bug)
    if bug:
        space = _with_bug(space)
    backends = _backends(broker, engine) if check_real else None
    folder = suite_folder(out, f"explore-s{seed}")
    found, ended_early = _explore(space, runs=runs, collect=collect)
    shrunk, files = _shrink(space, found, folder)
    agreed: list[Agreement] = []
    if backends and ended_early is None:
        agreed = _check_real(space, min(check_real, found.runs), backends, time_scale, folder)
    code = _exit_code(space, found, agreed) if ended_early is None else ended_early
    document = _document(space, found, shrunk, files, agreed)
    _note(folder, document)
    if as_json:
        print(json.dumps(document | {"ok": code == Exit.AS_EXPECTED, "exit_code": code}))
        raise typer.Exit(code)
    print(_summary(found))
    if bug and not found.kinds:
        print(f"The planted bug {bug} was not found.")
    if found.kinds:
        wide().print(kinds_table(shrunk))
        if len(found.kinds) > MOST_TOLD:
            print(f"Of {len(found.kinds)} kinds the first {MOST_TOLD} were shrunk.")
        if lost := rules_of(first for _, first in found.kinds.values()) - rules_of(
            f for _, f in shrunk
        ):
            print(f"Broken too, before anything was left out: {', '.join(sorted(lost))}")
        print(_told(files[0]))
    if agreed:
        _print_agreement(agreed)
    print(f"All of it: {folder}")
    raise typer.Exit(code)


def replay(
    file: Annotated[Path, typer.Argument(help="A schedule that saga explore has left.")],
    simulated_only: Annotated[
        bool, typer.Option("--simulated", help="Under virtual time only.")
    ] = False,
    broker: Broker = "auto",
    engine: Engine = "auto",
    time_scale: RealTimeScale = REAL_TIME_SCALE,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """One schedule again, step by step; then on real backends, and whether they agree.

    Exit code 0 = they agree, 1 = they do not, 3 = the real run said nothing; with --simulated: 0 = nothing is wrong, 1 = something is.
    """
    schedule = Schedule.read(file)
    simulated = simulate(schedule.spec(), turns=schedule.turns, bug=schedule.bug)
    found = look(schedule)
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
        chosen, chosen_engine = _backends(broker, engine)
        folder = suite_folder(out, "replay")
        (agreement,) = compare(
            [(1, schedule)],
            broker=chosen,
            engine=chosen_engine,
            time_scale=time_scale,
            runs=folder / "runs",
        )
        document["agreement"] = _agreement_json(agreement)
        code = _agreement_code([agreement])
        if not as_json:
            print(_verdict_on(agreement))
    if as_json:
        print(json.dumps(document | {"ok": code == Exit.AS_EXPECTED, "exit_code": code}))
    raise typer.Exit(code)


def _bounds(text: str) -> tuple[int, int]:
    fewest, dots, most = text.partition("..")
    try:
        bounds = int(fewest), int(most if dots else fewest)
    except ValueError:
        raise UsageError(f"--faults {text!r} is not a range such as 0..3") from None
    if not 0 <= bounds[0] <= bounds[1] <= 20:
        raise UsageError(f"--faults {text!r}: the fewest come first, and at most 20")
    return bounds


def _with_bug(space: Space) -> Space:
    """In the styles that can have the bug, and in the usual order of the steps, in which bugs of the coordination are planted."""
    (bug,) = chosen_bugs([space.bug])
    styles = [style for style in space.styles if style in bug.found_by]
    if not styles:
        raise UsageError(
            f"{bug.name} cannot be had in this style, only in: {', '.join(bug.found_by)}"
        )
    return replace(space, styles=styles, step_orders=["inventory-first"])


def _shrink(
    space: Space, found: Explored, folder: Path
) -> tuple[list[tuple[int, Finding]], list[Path]]:
    """The findings shrunk, and where they lie; what is known is written down before."""
    first = list(found.kinds.values())[:MOST_TOLD]
    _note(folder, _document(space, found, first, [Path() for _ in first], []))
    if not first:
        return [], []
    print(f"shrinking {len(first)} findings", file=sys.stderr)
    try:
        shrunk = smallest(found, most=MOST_TOLD)
    except KeyboardInterrupt:
        print(f"interrupted: {folder} has the findings as they are", file=sys.stderr)
        raise
    files = [_leave(folder, number, finding) for number, (_, finding) in enumerate(shrunk, 1)]
    return shrunk, files


def _note(folder: Path, document: dict[str, Any]) -> None:
    (folder / "explore.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _explore(space: Space, *, runs: int, collect: bool) -> tuple[Explored, Exit | None]:
    """What was explored, and how that ended early, if it did."""
    told, known = 0, Explored()
    with counting("runs", runs) as more:

        def tell(so_far: Explored) -> None:
            nonlocal told, known
            known, rate = so_far, so_far.runs / max(so_far.wall_s, 1e-9)
            aside = f"{rate:.0f} runs/s, {len(so_far.states):,} states, {so_far.failed} wrong"
            more(by=so_far.runs - told, aside=aside)
            told = so_far.runs

        try:
            return explore_space(space, runs=runs, collect=collect, told=tell), None
        except KeyboardInterrupt:
            print(f"interrupted after {known.runs:,} of {runs:,} schedules:", file=sys.stderr)
            return known, Exit.INTERRUPTED
        except Failure as failure:
            print(f"error: {failure}; after {known.runs:,} of {runs:,} schedules:", file=sys.stderr)
            return known, Exit.UNKNOWN


def _summary(found: Explored) -> str:
    per_core = found.sagas / max(found.busy_s, 1e-9)
    kinds = f" of {len(found.kinds)} kinds" if found.failed else ""
    if not found.runs:
        return "nothing was explored"
    return (
        f"{proportion(found.failed, found.runs)} schedules with something wrong{kinds};"
        f" {proportion(found.inconsistent, found.sagas)} sagas inconsistent\n"
        f"{found.struck:,} of {found.faults:,} faults struck, {len(found.states):,} distinct states of a saga\n"
        f"{found.wall_s:.1f} s: {found.runs / found.wall_s:.0f} runs/s, {found.sagas / found.wall_s:.0f} sagas/s,"
        f" {per_core:.0f} for each second of a core; the longest run took {found.longest_virtual_s:.1f} s of virtual time\n"
        f"ended as: {', '.join(f'{n:,} {name}' for name, n in found.classes.items() if n)}"
    )


def stories_markdown(hunted: Sequence[Hunted]) -> str:
    """One story per bug, from the style in which the fewest faults are left of it."""
    told: dict[str, Finding] = {}
    for one in hunted:
        if one.shrunk:
            before = told.get(one.bug, one.shrunk)
            told[one.bug] = min(before, one.shrunk, key=lambda f: size(f.schedule))
    stories = [f"## {bug}\n\n```\n{_story(f)}\n```\n" for bug, f in told.items()]
    return "\n".join([STORIES, *stories])


def _story(finding: Finding) -> str:
    schedule = finding.schedule
    simulated = simulate(schedule.spec(), turns=schedule.turns, bug=schedule.bug)
    return "\n".join(story(schedule, simulated, finding))


def _leave(folder: Path, number: int, finding: Finding) -> Path:
    """The schedule, its fault plan and its story, side by side; the schedule's path."""
    path = folder / f"schedule-{number:02d}.json"
    schedule = finding.schedule
    for name, content in {
        path.name: json.dumps(schedule.to_json(), indent=1),
        f"plan-{number:02d}.json": json.dumps(schedule.plan.to_json(), indent=1),
        f"story-{number:02d}.txt": _story(finding),
    }.items():
        (folder / name).write_text(content + "\n", encoding="utf-8")
    return path


def _told(path: Path) -> str:
    """What lies beside a schedule."""
    story_path = path.with_name(path.name.replace("schedule", "story")).with_suffix(".txt")
    text = story_path.read_text(encoding="utf-8").rstrip()
    return f"\n{text}\nThe fault plan: {path.with_name(path.name.replace('schedule', 'plan'))}\nAgain: saga replay {path}"


def _check_real(
    space: Space, wanted: int, backends: tuple[str, str], time_scale: float, folder: Path
) -> list[Agreement]:
    broker, engine = backends
    schedules = [(number, space.schedule(number)) for number in range(wanted)]
    with counting("real runs", len(schedules)) as one_more:
        return compare(
            schedules,
            broker=broker,
            engine=engine,
            time_scale=time_scale,
            runs=folder / "runs",
            done=one_more,
        )


def _backends(broker: str, engine: str) -> tuple[str, str]:
    chosen = settings.choose_broker(broker)
    chosen_engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, chosen_engine)
    asyncio.run(settings.check_backends(chosen, chosen_engine))
    return chosen, chosen_engine


def _exit_code(space: Space, found: Explored, agreed: Sequence[Agreement]) -> Exit:
    if space.bug:
        return Exit.AS_EXPECTED if found.kinds else Exit.NOT_AS_EXPECTED
    if found.kinds and space.guards == "all":
        return Exit.NOT_AS_EXPECTED
    return _agreement_code(agreed)


def _agreement_code(agreed: Sequence[Agreement]) -> Exit:
    """Another end that the simulation knows too is no disagreement."""
    if any(a.real and not a.agrees and not a.reached for a in agreed):
        return Exit.NOT_AS_EXPECTED
    return Exit.UNKNOWN if any(not a.real for a in agreed) else Exit.AS_EXPECTED


def _verdict_on(one: Agreement) -> str:
    """One real run in a sentence."""
    if not one.real:
        return f"The real run said nothing: {one.why}"
    if one.agrees:
        return f"The real stack agrees: {_ends(one.real)}."
    told = "does so too, in another order" if one.reached else "never does"
    laws = f" with broken laws ({', '.join(one.laws[1])})" if one.laws[1] else ""
    return f"The real stack ended as {_ends(one.real)}{laws}, the simulation as {_ends(one.simulated)}; in {VARIATIONS} variations it {told}: {one.folder}"  # fmt: skip


def _print_agreement(agreed: Sequence[Agreement]) -> None:
    wide().print(agreement_table(agreed))
    for one in agreed:
        if not one.agrees:
            what = "said nothing" if not one.real else f"ended as {_ends(one.real)}"
            also = {True: "; the simulation comes to that too, in another order", False: "; the simulation never does", None: ""}  # fmt: skip
            why = f" ({one.why})" if one.why else ""
            print(f"schedule {one.number}, {one.schedule.style}: simulated {_ends(one.simulated)}, the real run {what}{also[one.reached]}{why}: {one.folder}")  # fmt: skip


def _ends(ends: Sequence[tuple[str, bool]]) -> str:
    return ", ".join(f"{name} and lied to" if lied else name for name, lied in ends)


def _document(
    space: Space,
    found: Explored,
    shrunk: Sequence[tuple[int, Finding]],
    files: Sequence[Path],
    agreed: Sequence[Agreement],
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "seed": space.seed,
        "faults": list(space.faults),
        "faults_drawn": found.faults,
        "faults_struck": found.struck,
        "styles": list(space.styles),
        "guards": space.guards,
        "bug": space.bug,
        "runs": found.runs,
        "sagas": found.sagas,
        "states": len(found.states),
        "wrong": found.failed,
        "inconsistent_sagas": found.inconsistent,
        "classes": found.classes,
        "longest_virtual_s": found.longest_virtual_s,
        "wall_s": found.wall_s,
        "busy_s": found.busy_s,
        "findings": [
            {
                "kind": finding.kind,
                "runs": n,
                "rules": list(finding.rules),
                "why": list(finding.why),
                "orders_faults_delays": list(size(finding.schedule)),
                "file": str(path),
            }
            for (n, finding), path in zip(shrunk, files, strict=True)
        ],
        "agreement": [_agreement_json(one) for one in agreed],
    }


def _agreement_json(one: Agreement) -> dict[str, Any]:
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


def _hunt(
    styles: Sequence[str],
    faults: tuple[int, int],
    *,
    runs: int,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    bugs = chosen_bugs([])
    folder = suite_folder(out, f"explore-bugs-s{seed}")
    total = sum(style in styles for bug in bugs for style in bug.found_by)
    hunted: list[Hunted] = []
    with counting("hunts", total) as one_more:

        def told(one: Hunted) -> None:
            hunted.append(one)
            one_more(
                "" if one.run else f"{one.bug} in the {one.style}: not found in {runs} schedules"
            )

        try:
            hunt(bugs, styles=styles, faults=faults, runs=runs, seed=seed, told=told)
        except KeyboardInterrupt:
            print(f"interrupted after {len(hunted)} of {total} hunts:", file=sys.stderr)
    files = [
        _leave(folder, number, one.shrunk) if one.shrunk else None
        for number, one in enumerate(hunted, 1)
    ]
    (folder / "table.md").write_text(hunted_markdown(hunted), encoding="utf-8")
    (folder / "stories.md").write_text(stories_markdown(hunted), encoding="utf-8")
    missed = [one for one in hunted if one.run is None]
    code = Exit.NOT_AS_EXPECTED if missed else Exit.AS_EXPECTED
    if len(hunted) < total:
        code = Exit.INTERRUPTED
    document = {
        "schema": SCHEMA,
        "ok": code == Exit.AS_EXPECTED,
        "exit_code": code,
        "hunts": [
            {
                "bug": one.bug,
                "style": one.style,
                "run": one.run,
                "rules": list(one.shrunk.rules) if one.shrunk else [],
                "expected": one.expected,
                "orders_faults_delays": list(size(one.shrunk.schedule)) if one.shrunk else [],
                "file": str(path) if path else "",
            }
            for one, path in zip(hunted, files, strict=True)
        ],
    }
    (folder / "hunts.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(document))
    else:
        wide().print(hunted_table(hunted))
        print(
            f"{len(hunted) - len(missed)} of {len(hunted)} found. Schedules, plans and stories: {folder}"
        )
    raise typer.Exit(code)
