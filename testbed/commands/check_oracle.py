"""`saga check-oracle`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.latency import proportion
from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga
from scenarios.campaigns.check_oracle import (
    Finding,
    alarm,
    check,
    check_clean,
    chosen_bugs,
    clean_jobs,
    jobs_of,
)
from scenarios.campaigns.mutants.campaign import Campaign, check_names
from scenarios.campaigns.outcome import Outcome
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed import settings
from testbed.commands.mutants import check_by_mutants
from testbed.execution import wide
from testbed.options import AsJson, Out, SagaOption, Seed, Styles
from testbed.progress import counting
from testbed.runs import suite_folder


def check_oracle(
    bugs: Annotated[
        list[str] | None, typer.Argument(help="Names from saga list; default: every planted bug.")
    ] = None,
    repeat: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="Number of runs of each bug in each style, with consecutive seeds from --seed.",
        ),
    ] = 3,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    clean: Annotated[
        int,
        typer.Option(
            min=0,
            max=1_000_000,
            help="Number of sagas without a bug to run as well; none may raise an alarm.",
        ),
    ] = 0,
    mutants: Annotated[
        bool,
        typer.Option(
            "--mutants",
            help="Make mutants by operators and explore each, instead of planting known bugs.",
        ),
    ] = False,
    mutants_runs: Annotated[
        int,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Number of schedules to search for each mutant in each style.",
        ),
    ] = 400,
    operator: Annotated[
        list[str] | None, typer.Option(help="Only mutants by this operator; may be repeated.")
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option(help="Only mutants of this module or room; may be repeated."),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Number of mutants to draw by --seed; 0 = all.")
    ] = 0,
    style: Styles = "both",
    resume: Annotated[
        Path | None, typer.Option(help="Folder of an interrupted --mutants to continue.")
    ] = None,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Test the judge: plant known saga bugs, or mutants, and report by which rule each one is found."""
    chosen_saga = load_saga(saga)
    if mutants:
        if bugs or clean:
            raise UsageError("--mutants goes with neither names of bugs nor --clean")
        check_names(chosen_saga, operator or [], module or [])
        campaign = Campaign(
            saga=chosen_saga.address,
            runs=mutants_runs,
            seed=seed,
            styles=settings.choose_styles(style),
            operators=operator or [],
            modules=module or [],
            sample=sample,
        )
        check_by_mutants(campaign, resume=resume, out=out, as_json=as_json)
    if operator or module or sample or resume or style != "both":
        raise UsageError("--operator, --module, --sample, --style and --resume go with --mutants")
    chosen = chosen_bugs(chosen_saga, bugs or [])
    folder = suite_folder(out, f"check-oracle-s{seed}")
    total = len(jobs_of(chosen_saga, chosen, runs=repeat, seed=seed))
    with counting("runs", total) as one_more:
        findings = check(
            chosen_saga,
            chosen,
            runs=repeat,
            seed=seed,
            folder=folder / "runs",
            done=lambda: one_more(""),
        )
    false: list[Outcome] = []
    judged = 0
    if clean:
        with counting("clean runs", len(clean_jobs(chosen_saga, clean, seed=seed))) as one_more:

            def told(outcome: Outcome) -> None:
                nonlocal judged
                judged += sum(outcome.classes.values())
                one_more(f"{outcome.key}: {outcome.judgement} {outcome.problems[:3]}" if alarm(outcome) else "")  # fmt: skip

            false = check_clean(chosen_saga, clean, seed=seed, folder=folder / "runs", done=told)
    right = all(finding.right for finding in findings) and not false
    code = Exit.AS_EXPECTED if right else Exit.NOT_AS_EXPECTED
    document = {
        "schema": SCHEMA,
        "findings": [asdict(finding) | {"right": finding.right} for finding in findings],
        "clean_sagas": judged,
        "clean_alarms": [asdict(outcome) for outcome in false],
    }
    (folder / "check_oracle.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")  # fmt: skip
    (folder / "table.md").write_text(markdown(findings), encoding="utf-8")
    if as_json:
        print(json.dumps(document | {"ok": right, "exit_code": code, "folder": str(folder)}))
    else:
        wide().print(_table(findings))
        print(summary(findings))
        if clean:
            alarmed = proportion(_sagas(false), judged)
            print(f"clean sagas: {alarmed} in runs that were not judged CONSISTENT")
            if lost := sum(not outcome.classes for outcome in false):
                print(f"{lost} runs of them did not end")
        print(f"As a table, with words for each bug: {folder / 'table.md'}")
    raise typer.Exit(code)


def summary(findings: Sequence[Finding]) -> str:
    """How many were found, in a sentence."""
    bugs = list(dict.fromkeys(f.bug for f in findings))
    found = [b for b in bugs if all(f.right for f in findings if f.bug == b)]
    missed = sorted(set(bugs) - set(found))
    alarms = sum(f.false_alarms for f in findings)
    text = f"{len(found)} of {len(bugs)} planted bugs found, in every run, by the rule that should; {alarms} false alarms in the same runs without them"
    return f"{text}; not found: {', '.join(missed)}" if missed else text


def markdown(findings: Sequence[Finding]) -> str:
    """Every bug, style and scenario, with the rule that finds it."""
    lines = [
        "| bug | what it does | style | scenario | further faults | found | by |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{f.bug}` | {f.words} | {f.style} | {f.scenario} | {'; '.join(f.faults)} | {f.detected} of {f.runs} |"
        f" {'; '.join([f'**{r}**' if r == f.expected else r for r in f.rules])} |"
        for f in findings
    ]
    return "\n".join(lines) + "\n"


def _sagas(outcomes: Sequence[Outcome]) -> int:
    return sum(sum(outcome.classes.values()) for outcome in outcomes)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("bug", "style", "scenario", "found", "by", "false alarms", title="Planted bugs", title_justify="left")  # fmt: skip
    before = ""
    for f in findings:
        table.add_row(
            "" if f.bug == before else f.bug,
            f.style,
            f.scenario,
            f"{f.detected} of {f.runs}",
            f.expected if f.detected else "nothing",
            str(f.false_alarms),
            style="" if f.right else "bold red",
        )
        before = f.bug
    return table
