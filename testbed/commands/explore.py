"""`saga explore` and `saga replay`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from kernel.errors import Failure, UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from report.exploration import kinds_table, summary
from scenarios.campaigns.check_oracle import chosen_bugs
from scenarios.campaigns.simulation.agreement import Agreement, compare
from scenarios.campaigns.simulation.explore import Explored, smallest
from scenarios.campaigns.simulation.explore import explore as explore_space
from scenarios.campaigns.simulation.finding import Finding, rules_of
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.shrink import size
from scenarios.campaigns.simulation.world import ADAPTERS, EMBEDDED
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed import settings
from testbed.commands.every_bug import hunt_every_bug
from testbed.commands.replay import (
    REAL_TIME_SCALE,
    RealTimeScale,
    agreement_code,
    agreement_json,
    print_agreement,
)
from testbed.commands.replay import (
    backends as chosen_backends,
)
from testbed.execution import wide
from testbed.findings import leave, told
from testbed.options import AsJson, Broker, Engine, Out, SagaOption, Seed, Styles
from testbed.progress import counting
from testbed.runs import suite_folder

MOST_TOLD, MOST_FAULTS = 60, 20


def explore(
    runs: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Number of schedules to simulate.")
    ] = 10_000,
    faults: Annotated[
        str,
        typer.Option(
            help="Number of faults in a schedule: a range such as 0..3, or one number; at most 20."
        ),
    ] = "0..3",
    style: Styles = "both",
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    guards: Annotated[
        str,
        typer.Option(
            help="Safeguards: all, none, or a list to switch off, as in --guards=-outbox,-inbox"
        ),
    ] = "all",
    bug: Annotated[
        str, typer.Option(help="Plant this bug (see saga list) and search for it.")
    ] = "",
    every_bug: Annotated[
        bool,
        typer.Option(
            "--every-bug", help="Plant each bug in turn and search up to --runs schedules for it."
        ),
    ] = False,
    adapters: Annotated[
        str,
        typer.Option(
            help="Adapters to drive: embedded (fast), or real: those of RabbitMQ and boto3, over a model of the"
            " node and the engine's own HTTP server."
        ),
    ] = EMBEDDED,
    collect: Annotated[
        bool,
        typer.Option(
            "--collect",
            help="Continue after the first finding; findings of the same kind count once.",
        ),
    ] = False,
    check_real: Annotated[
        int,
        typer.Option(
            min=0, max=100_000, help="Number of schedules to replay on real backends as well."
        ),
    ] = 0,
    broker: Broker = "auto",
    engine: Engine = "auto",
    time_scale: RealTimeScale = REAL_TIME_SCALE,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Simulate thousands of schedules under virtual time; shrink what goes wrong and write it down step by step.

    Exit code 1 = something is wrong that should not be; with a planted bug: it was not found.
    """
    Guards.parse(guards)
    chosen_saga = load_saga(saga)
    if adapters not in ADAPTERS:
        raise UsageError(f"--adapters {adapters!r} is not one of: {', '.join(ADAPTERS)}")
    styles, bounds = settings.choose_styles(style), _bounds(faults)
    if every_bug:
        if bug or check_real or collect or guards != "all" or adapters != EMBEDDED:
            raise UsageError(
                "--every-bug goes with none of --bug, --collect, --guards, --check-real and --adapters"
            )
        hunt_every_bug(chosen_saga, styles, bounds, runs=runs, seed=seed, out=out, as_json=as_json)
    space = Space(
        saga=chosen_saga.address,
        styles=styles,
        faults=bounds,
        seed=seed,
        guards=guards,
        bug=bug,
        adapters=adapters,
    )
    if bug:
        space = _with_bug(space)
    real = chosen_backends(broker, engine) if check_real else None
    folder = suite_folder(out, f"explore-s{seed}")
    found, ended_early = _explore(space, runs=runs, collect=collect)
    shrunk, files = _shrink(space, found, folder)
    agreed: list[Agreement] = []
    if real and ended_early is None:
        agreed = _check_real(space, min(check_real, found.runs), real, time_scale, folder)
    code = _exit_code(space, found, agreed) if ended_early is None else ended_early
    document = _document(space, found, shrunk, files, agreed)
    _note(folder, document)
    if as_json:
        print(json.dumps(document | {"ok": code == Exit.AS_EXPECTED, "exit_code": code}))
        raise typer.Exit(code)
    print(summary(found))
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
        print(told(files[0]))
    if agreed:
        print_agreement(agreed)
    print(f"All of it: {folder}")
    raise typer.Exit(code)


def _bounds(text: str) -> tuple[int, int]:
    fewest, dots, most = text.partition("..")
    try:
        bounds = int(fewest), int(most if dots else fewest)
    except ValueError:
        raise UsageError(f"--faults {text!r} is not a range such as 0..3") from None
    if not 0 <= bounds[0] <= bounds[1] <= MOST_FAULTS:
        raise UsageError(f"--faults {text!r}: the fewest come first, and at most {MOST_FAULTS}")
    return bounds


def _with_bug(space: Space) -> Space:
    """In the styles that can have the bug, and in the usual order of the steps, in which bugs of the coordination are planted."""
    saga = load_saga(space.saga)
    (bug,) = chosen_bugs(saga, [space.bug])
    styles = [style for style in space.styles if style in bug.found_by]
    if not styles:
        raise UsageError(
            f"{bug.name} does not exist in this style, only in: {', '.join(bug.found_by)}"
        )
    return replace(space, styles=styles, variants=[saga.variant])


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
    files = [leave(folder, number, finding) for number, (_, finding) in enumerate(shrunk, 1)]
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


def _exit_code(space: Space, found: Explored, agreed: Sequence[Agreement]) -> Exit:
    if space.bug:
        return Exit.AS_EXPECTED if found.kinds else Exit.NOT_AS_EXPECTED
    if found.kinds and space.guards == "all":
        return Exit.NOT_AS_EXPECTED
    return agreement_code(agreed)


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
        "adapters": space.adapters,
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
        "agreement": [agreement_json(one) for one in agreed],
    }
