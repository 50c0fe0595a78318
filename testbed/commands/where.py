"""`saga where`: where one order is and why, from evidence alone."""

import json
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from kernel.timeline import OPEN, Call, Timeline
from report.text_table import plain
from scenarios.evidence.diagnosis import Answer, answer
from scenarios.evidence.remarks import acted_twice, all_remarks
from scenarios.evidence.scores import KINDS, timelines_of
from scenarios.runs.folder import SCHEMA
from scenarios.styles.index import STYLES
from testbed.find_runs import FINISHED, Known, find_order, say_which
from testbed.options import AsJson, Below, OrderArgument


def where(order: OrderArgument, run: Below = Path("runs"), as_json: AsJson = False) -> None:
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
    judged = known.judged()
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
    say_which(known)
    for text in noticed:
        lines |= {f"noticed {len(lines)}": text}
    lines |= {"evidence": _seen_by(best, answers)}
    if judged:
        status = lines.pop("status")
        lines = {"status": status, "the judge": judged["words"]} | lines
    for name, text in lines.items():
        print(f"  {name.rstrip('0123456789 '):<12} {plain(text)}")


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
            f"{last.service} {last.operation}: {last.answer}, {_ago(last, now_s, ended=known.status == FINISHED)}"
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
    if known.interrupted:
        return f"the run was interrupted: saga run --resume {known.folder}"
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
    if known.alive or known.interrupted:
        return time.time()
    return datetime.fromisoformat(known.about["ended_utc"]).timestamp()


def _ago(call: Call, now_s: float, *, ended: bool) -> str:
    passed = f"{max(0.0, now_s - call.at_s):.1f} s"
    return f"at {_clock(call)}, {passed} {'before the run ended' if ended else 'ago'}"


def _clock(call: Call) -> str:
    return datetime.fromtimestamp(call.at_s).astimezone().strftime("%H:%M:%S.%f")[:-3]
