"""`saga trace`: what happened to one order, from evidence alone."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from bench.arms import named
from bench.results import RunRow, read_run
from kernel.errors import UsageError
from kernel.timeline import CUSTOMER, Call, Timeline
from report.cartoon import cartoon
from report.charts import save
from report.saga_in_run import SagaInRun, with_counterparts
from report.saga_page import page_name, write_saga_page
from report.text_table import plain
from scenarios.evidence.remarks import remarks
from scenarios.evidence.scores import KINDS, timelines_of
from scenarios.runs.folder import SCHEMA
from testbed.execution import wide
from testbed.find_runs import FINISHED, Known, find_order, say_which
from testbed.options import AsJson, Below, OrderArgument


def trace(
    order: OrderArgument,
    run: Below = Path("runs"),
    evidence: Annotated[
        str,
        typer.Option(
            help="native, audited, correlated or traced; default: the one that shows the most."
        ),
    ] = "",
    html: Annotated[
        bool,
        typer.Option(
            "--html",
            help="Make a page that shows the order in both styles side by side, and open it.",
        ),
    ] = False,
    in_pictures: Annotated[
        bool,
        typer.Option(
            "--cartoon", help="Draw the order in six pictures, as SVG and PNG in its run folder."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what happened to an order as a tree of causes with times, from evidence alone."""
    if evidence and evidence not in KINDS:
        raise UsageError(f"unknown evidence {evidence!r}: use {', '.join(KINDS)}")
    known = find_order(order, run)
    if html:
        if known.status != FINISHED:
            raise UsageError(
                f"{known.folder} is {known.status}: its picture can be made when it is complete"
            )
        page = write_saga_page(_beside(known), order, known.folder / page_name(order))
        print(page)
        typer.launch(str(page))
        return
    if in_pictures:
        print(_drawn(known, order))
        return
    timelines = timelines_of(known.saga, order, known.style, known.evidence)
    kind = evidence or _most(timelines)
    timeline = timelines[kind]
    if as_json:
        document = {"schema": SCHEMA, "ok": True, "run": str(known.folder), "evidence": kind}
        document |= {"arm": known.arm, "others": [str(folder) for folder in known.others]}
        document |= {"noticed": remarks(timeline), "judge": known.judged()}
        print(json.dumps(document | {"calls": [asdict(call) for call in timeline.calls]}))
        return
    say_which(known)
    wide().print(_tree(known, timeline, kind))


def _drawn(known: Known, order: str) -> Path:
    if known.status != FINISHED:
        raise UsageError(f"{known.folder} is {known.status}: it can be drawn when it is complete")
    _, svg = save(
        cartoon(SagaInRun(named([read_run(known.folder)])[0], order)),
        known.folder,
        f"cartoon-{order}",
    )
    return svg


def _most(timelines: dict[str, Timeline]) -> str:
    """Traces tell the most, if they tell it all."""
    return max(reversed(KINDS), key=lambda kind: len(timelines[kind].answered()))


def _beside(known: Known) -> list[RunRow]:
    """The run, and the newest one beside it of every other style that differs in nothing else."""
    siblings = []
    for path in sorted(known.folder.parent.glob("*/run.json")):
        with contextlib.suppress(
            UsageError, KeyError
        ):  # a damaged run beside this one is not asked for
            siblings.append(read_run(path.parent))
    return with_counterparts(read_run(known.folder), siblings)


def _tree(known: Known, timeline: Timeline, kind: str) -> Tree:
    calls = timeline.calls
    begun_s = min((c.began_s or c.at_s for c in calls), default=0.0)
    tree = Tree(plain(f"{timeline.order_id}, from {kind} evidence: {timeline.status()}"))
    branches: dict[str, Any] = {CUSTOMER: tree}
    done: set[str] = set()
    for call in calls:
        under = branches.get(call.cause, tree)
        branch = under.add(_line(call, begun_s, again=call.operation in done))
        if call.answer and not call.repeated:
            done.add(call.operation)
        if call.answer:
            branches.setdefault(call.answer, branch)
    if timeline.parked_now():
        parked = plain(f"parked at {timeline.parked_at}: {timeline.parked_why}")
        parked.stylize("bold red")
        tree.add(parked)
    if not calls:
        tree.add("nothing is seen")
    for text in remarks(timeline):
        tree.add(plain(f"noticed: {text}"))
    if judged := known.judged():
        tree.add(plain(f"the judge: {judged['words']}"))
    return tree


def _line(call: Call, begun_s: float, *, again: bool) -> Text:
    """One call. `again`: the operation was done before."""
    at_ms = 1000 * ((call.began_s or call.at_s) - begun_s)
    took = ""
    if call.began_s is not None and call.ended_s is not None:
        took = f", took {1000 * (call.ended_s - call.began_s):.1f} ms"
    result = call.answer or (f"failed: {call.failure}" if call.failure else "no answer")
    if call.answer and call.repeated:
        result += ", the first answer again: nothing was done"
    elif call.answer and again:
        result += ", DONE AGAIN"
    if call.answer and call.failure:
        result += f", THE ANSWER WAS LOST ({call.failure})"
    line = plain(f"+{at_ms:8.1f} ms  {call.service} {call.operation}: {result}{took}")
    good = call.answer and not call.failure and not (again and not call.repeated)
    line.stylize("" if good else "red")
    return line
