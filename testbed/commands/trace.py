"""`saga where` and `saga trace`: where one order is and why, and what happened to it, from evidence alone."""

import contextlib
import json
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from bench.results import RunRow, read_run
from kernel.errors import UsageError
from kernel.timeline import CUSTOMER, OPEN, Call, Timeline
from report.saga_in_run import with_counterparts
from report.saga_page import page_name, write_saga_page
from report.tables import plain
from scenarios.evidence.diagnosis import Answer, answer
from scenarios.evidence.remarks import acted_twice, all_remarks, remarks
from scenarios.evidence.scores import KINDS, timelines_of
from scenarios.runs.folder import SCHEMA, read_json
from scenarios.styles.index import STYLES
from testbed.execution import wide
from testbed.find_runs import Known, arm_in_words, find_order
from testbed.options import AsJson

MOST_OTHERS = 5
Order = Annotated[str, typer.Argument(help="An order id, such as order-00003.")]
Below = Annotated[
    Path,
    typer.Option("--run", help="A run folder, or a folder of run folders; the newest run that has the order is used."),
]  # fmt: skip


def where(order: Order, run: Below = Path("runs"), as_json: AsJson = False) -> None:
    """Show where an order is, why, and what to do, from evidence alone. Works on running and finished runs."""
    known = find_order(order, run)
    timelines = timelines_of(known.saga, order, known.style, known.evidence)
    reactions = known.saga.reacting(known.about["step_order"])
    answers = {kind: answer(timeline, reactions) for kind, timeline in timelines.items()}
    best = _best(timelines)
    timeline, found = timelines[best], answers[best]
    twice = {name for one in timelines.values() for name in acted_twice(one)}
    lines = _where(known, timeline, found, twice)
    noticed = all_remarks(timelines)
    judged = _judged(known)
    if as_json:
        print(
            json.dumps(
                {"schema": SCHEMA, "ok": True, "run": str(known.folder), "order": order}
                | {"arm": known.arm, "others": [str(folder) for folder in known.others]}
                | {"answer": asdict(found), "lines": lines, "noticed": noticed, "judge": judged}
                | {"by_evidence": {kind: asdict(one) for kind, one in answers.items()}}
            )
        )
        return
    _say_which(known)
    for text in noticed:
        lines |= {f"noticed {len(lines)}": text}
    lines |= {"evidence": _seen_by(best, answers)}
    if judged:
        status = lines.pop("status")
        lines = {"status": status, "the judge": judged["words"]} | lines
    for name, text in lines.items():
        print(f"  {name.rstrip('0123456789 '):<12} {plain(text)}")


def _say_which(known: Known) -> None:
    """Which run is meant, and which others there are: an order has the same name in every one of them."""
    print(plain(f"{known.order_id}: {known.arm}"))
    print(f"  in {known.folder}")
    if known.others:
        n = len(known.others)
        what = "1 other run knows" if n == 1 else f"{n} other runs know"
        print(f"  {what} this name too; choose one with --run:")
        for folder in known.others[:MOST_OTHERS]:
            print(plain(f"    --run {folder} ({arm_in_words(read_json(folder / 'run.json'))})"))


def _judged(known: Known) -> dict[str, str]:
    """What the judge said of the order in a finished run; nothing of one that lives."""
    if known.alive:
        return {}
    verdict = next(
        (
            o
            for o in read_json(known.folder / "verdict.json")["orders"]
            if o["order_id"] == known.order_id
        ),
        None,
    )
    if verdict is None:
        return {}
    why = f", {verdict['why']}" if verdict["why"] else ""
    broken = f"; broken: {'; '.join(verdict['rules'])}" if verdict.get("rules") else ""
    words = f"{verdict['order_class']}{why}{broken} (from the ledgers, not from this evidence)"
    return {"class": str(verdict["order_class"]), "words": words}


def _best(timelines: dict[str, Timeline]) -> str:
    """Whose answer is given: who sees a parked saga, then who sees the most."""
    return max(
        KINDS,
        key=lambda kind: (
            bool(timelines[kind].parked_now()),
            len(timelines[kind].answered()),
            -KINDS.index(kind),
        ),
    )


def _where(known: Known, timeline: Timeline, found: Answer, twice: set[str]) -> dict[str, str]:
    """`twice`: what any evidence shows to be done more than once."""
    last, now_s = timeline.last(), _now_s(known)
    lines = {"status": found.status + (", parked" if timeline.parked_now() else "")}
    if last is None:
        lines["last done"] = "nothing that is seen"
    else:
        lines["last done"] = (
            f"{last.service} {last.operation}: {last.answer}, {_ago(last, now_s, alive=known.alive)}"
        )
    if found.because_of:
        said = [c.answer for c in timeline.answered() if c.operation == found.because_of]
        lines["turned back"] = f"because of {found.because_of}" + "".join(f": {a}" for a in said)
    if found.status != OPEN:
        return lines | {"what to do": _after_the_end(twice)}
    failed = [c for c in timeline.calls if c.operation == found.waits_for and not c.answer]
    since = failed[0] if failed else last
    lines["waits for"] = found.waits_for + (f", since {_clock(since)}" if since else "")
    tried = f" ({len(failed)} attempts seen)" if len(failed) > 1 else ""
    why = timeline.parked_why or (failed[-1].failure if failed else "")
    lines["why"] = (why or "no answer yet") + tried
    lines["what to do"] = _remedy(known, timeline)
    return lines


def _after_the_end(twice: set[str]) -> str:
    if twice:
        return f"correct by hand what was done more than once: {', '.join(sorted(twice))}; the saga itself is over"
    return "nothing: the saga is over"


def _remedy(known: Known, timeline: Timeline) -> str:
    if timeline.parked_now():
        which = timeline.parked_id or timeline.order_id
        return f"mend the cause, then: saga {STYLES[known.style].parked_command} redrive {known.folder} {which}"
    if known.alive:
        return "wait: it is retried, and the saga deadline passes at last"
    return "nothing shows it to an operator: look at saga trace, and at the verdict of the run"


def _seen_by(best: str, answers: dict[str, Answer]) -> str:
    alike = [kind for kind in KINDS if answers[kind] == answers[best]]
    others = [
        f"{kind} evidence shows nothing of it"
        if not one.last
        else f"{kind} says {one.status}, last {one.last}, waits for {one.waits_for or 'nothing'}"
        for kind, one in answers.items()
        if kind not in alike
    ]
    return "; ".join([f"{', '.join(alike)} evidence", *others])


def _now_s(known: Known) -> float:
    if known.alive:
        return time.time()
    return datetime.fromisoformat(known.about["ended_utc"]).timestamp()


def _ago(call: Call, now_s: float, *, alive: bool) -> str:
    passed = f"{max(0.0, now_s - call.at_s):.1f} s"
    return f"at {_clock(call)}, {passed} {'ago' if alive else 'before the run ended'}"


def _clock(call: Call) -> str:
    return datetime.fromtimestamp(call.at_s).astimezone().strftime("%H:%M:%S.%f")[:-3]


def trace(
    order: Order,
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
    as_json: AsJson = False,
) -> None:
    """Show what happened to an order as a tree of causes with times, from evidence alone."""
    if evidence and evidence not in KINDS:
        raise UsageError(f"unknown evidence {evidence!r}: use {', '.join(KINDS)}")
    known = find_order(order, run)
    if html:
        if known.alive:
            raise UsageError(f"{known.folder} still runs: its picture can be made when it is over")
        page = write_saga_page(_beside(known), order, known.folder / page_name(order))
        print(page)
        typer.launch(str(page))
        return
    timelines = timelines_of(known.saga, order, known.style, known.evidence)
    kind = evidence or _most(timelines)
    timeline = timelines[kind]
    if as_json:
        document = {"schema": SCHEMA, "ok": True, "run": str(known.folder), "evidence": kind}
        document |= {"arm": known.arm, "others": [str(folder) for folder in known.others]}
        document |= {"noticed": remarks(timeline), "judge": _judged(known)}
        print(json.dumps(document | {"calls": [asdict(call) for call in timeline.calls]}))
        return
    _say_which(known)
    wide().print(_tree(known, timeline, kind))


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
    if judged := _judged(known):
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
