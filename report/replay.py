"""One order in several styles as steps that belong together, with what every participant holds after each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from kernel.orders import PENDING, REJECTED
from kernel.saga import Saga
from report.saga_in_run import SagaInRun
from scenarios.evidence.diagnosis import because_of
from scenarios.evidence.truth import true_timeline
from scenarios.faults.plan import MEANING, Moment

_EFFECT = {
    "tombstone": "There is nothing to undo; should {step} still come, it is refused.",
    "done": "{operation} is done.",
    "undone": "{operation} is done: {step} is undone.",
    "kept": "Too late: {step} is past the pivot, so the saga goes forward.",
    "gave up": "All attempts failed: {operation} is given up.",
    "refused": "{operation} is refused: it comes after its compensation.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened. `mark`: done, refused, undone, failed, fault or told. `key`: the same for the same thing elsewhere.

    `holds`: the order's status and what the participants hold of it then, as short texts: see `held`.
    """

    at_ms: float
    actor: str
    title: str
    text: str
    mark: str
    key: str
    node: str
    holds: tuple[str, ...]


def held(saga: SagaInRun) -> tuple[str, ...]:
    """What `Step.holds` says, by column."""
    return ("order", *(resource.name for resource in saga.saga.resources))


def steps(saga: SagaInRun) -> list[Step]:
    """Everything that happened to an order, oldest first."""
    found: list[Step] = []
    rows: list[dict[str, Any]] = []
    for at_s, what in sorted(_entries(saga), key=lambda entry: entry[0]):
        if row := what.pop("row", None):
            rows.append(row)
        found.append(Step(at_ms=1000 * (at_s - saga.begun_s), holds=holds(saga.saga, rows), **what))
    return found


def _entries(saga: SagaInRun) -> Iterator[tuple[float, dict[str, Any]]]:
    line, offset_s = saga.line, saga.offset_s
    wanted = saga.saga.words.wanted(saga.saga.order(**line["order"]))
    yield saga.begun_s, _step("customer", "orders", f"The customer wants {wanted}.", "told")
    if line["accepted_mono_s"] is not None:
        told = (
            "The order is accepted: it will not be forgotten. The customer sees its first status."
        )
        accepted_s = max(line["accepted_mono_s"] + offset_s, saga.begun_s)
        yield accepted_s, _step("customer", f"accepted, sees {line['told'][0]}", told, "told")
    gone: set[str] = set()
    for row in saga.ledger:
        yield row["wall_s"], _row_step(saga.saga, row, late=row["operation"] in gone)
        gone.add(saga.saga.undoes.get(row["operation"], ""))
    for fault in saga.faults:
        if fault["at_mono_s"] is not None:
            text = f"{MEANING[Moment(fault['moment'])].capitalize()}."
            # A refusal is noted after its commit; it is told before what it led to.
            at_s = fault["at_mono_s"] + offset_s
            if fault["moment"] == Moment.REFUSED:
                at_s = min([r["wall_s"] for r in saga.ledger if r["operation"] == fault["operation"]] or [at_s]) - 1e-6  # fmt: skip
            yield (
                at_s,
                _step(
                    "injected fault",
                    f"{fault['moment']} at {fault['operation']}",
                    text,
                    "fault",
                    node=fault["operation"],
                ),
            )
    seen: Counter[str] = Counter()
    acted = Counter(row["operation"] for row in saga.ledger)
    for call in saga.timeline.calls:
        if not call.answer:
            text = call.failure or "There is no answer."
            yield call.at_s, _step(call.service, f"{call.operation} fails", text, "failed", node=call.operation)  # fmt: skip
        elif seen[call.operation] >= acted[call.operation] > 0:
            text = f"It was done before: {call.answer} is answered again, and nothing changes."
            yield call.at_s, _step(call.service, f"{call.operation} again", text, "told", node=call.operation)  # fmt: skip
        seen[call.operation] += bool(call.answer)
    happened = [row["wall_s"] for row in saga.ledger] + [c.at_s for c in saga.timeline.calls]
    happened += [f["at_mono_s"] + offset_s for f in saga.faults if f["at_mono_s"] is not None]
    last_s = max([*happened, saga.begun_s])
    if parked := saga.parked.parked_now():
        text = f"An operator has to look: {saga.parked.parked_why}"
        yield last_s + 1e-6, _step("operator", f"parked at {parked}", text, "failed", node=parked)
    if len(line["told"]) > 1:
        told = "So the customer knows how it ended, or that it has not."
        yield last_s + 2e-6, _step("customer", f"asks, sees {line['told'][-1]}", told, "told")


def _row_step(saga: Saga, row: dict[str, Any], *, late: bool) -> dict[str, Any]:
    """A ledger row as a step. `late`: its compensation has been there before it."""
    operation, effect = row["operation"], row["effect"]
    usual = saga.words.effects.get((operation, effect), "")
    text = (late and _EFFECT.get(effect)) or usual or _EFFECT[effect]
    n = abs(row["delta"])
    words = {
        "units": f"{n} unit{'s' if n != 1 else ''} {'are' if n != 1 else 'is'}",
        "money": f"{_money(n)} is",
        "operation": operation,
        "step": saga.undoes.get(operation, ""),
    }
    mark = {"done": "done", "undone": "undone", "tombstone": "undone", "kept": "told"}
    return _step(
        row["participant"],
        operation,
        text.format(**words),
        mark.get(effect, "refused"),
        node=operation,
    ) | {"row": row}


def _step(actor: str, title: str, text: str, mark: str, *, node: str = "") -> dict[str, Any]:
    key = f"{mark}:{actor}:{title}"
    return {"actor": actor, "title": title, "text": text, "mark": mark, "key": key, "node": node}


def holds(saga: Saga, rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """What follows from an order's ledger rows so far: its status, and what each participant holds of it, as `Step.holds`."""
    net = dict.fromkeys((resource.participant for resource in saga.resources), 0)
    ended = {operation: status for status, operation in saga.ended_by.items()}
    status = "none"
    for row in rows:
        if row["participant"] in net:
            net[row["participant"]] += row["delta"]
        if row["operation"] == saga.forward[0]:
            status = PENDING if row["effect"] == "done" else REJECTED
        elif row["operation"] in ended and row["effect"] in ("done", "undone", "tombstone"):
            status = ended[row["operation"]]
    return status, *(resource.shown(net[resource.participant]) for resource in saga.resources)


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


Together = tuple[int | None, ...]
"""Which step of each saga stands in a row; None = it has none there."""


def side_by_side(sagas: Sequence[SagaInRun]) -> list[Together]:
    """The rows of a replay of one saga or two: the same step of both stands in one row, what only one of them did in its own."""
    told = [steps(saga) for saga in sagas]
    if len(told) == 1:
        return [(number,) for number in range(len(told[0]))]
    left, right = ([step.key for step in one] for one in told[:2])
    found: list[Together] = []
    for tag, i0, i1, j0, j1 in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        if tag == "equal":
            found += zip(range(i0, i1), range(j0, j1), strict=True)
        else:
            found += [(i, None) for i in range(i0, i1)]
            found += [(None, j) for j in range(j0, j1)]
    return found


def in_short(saga: SagaInRun) -> list[str]:
    """Which step failed and why, what was undone in which order, what took several tries, and what the customer saw.

    From the ledgers, but for the tries, which only evidence knows of.
    """
    truth = true_timeline(saga.saga, saga.order_id, saga.ledger)
    undone = [
        f"{row['operation']}{' (nothing was there to undo)' if row['effect'] == 'tombstone' else ''}"
        for row in saga.ledger
        if row["effect"] in ("undone", "tombstone")
    ]
    parts = []
    if failed := because_of(truth):
        if _refused_first(saga, failed):
            why = saga.saga.words.effects.get((failed, "refused"), "")
            parts.append(f"{failed} was refused. {why}".rstrip())
        else:
            parts.append(f"{failed} did not work out in {saga.tries[failed]} tries.")
        parts.append(f"Undone, in this order: {', '.join(undone)}." if undone else "Nothing was undone.")  # fmt: skip
    elif truth.status() in saga.saga.ends.values():
        parts.append("The saga is over, nothing was undone.")
    rows = Counter(row["operation"] for row in saga.ledger if row["effect"] in ("done", "undone"))
    if twice := [f"{operation} ({n} times)" for operation, n in rows.items() if n > 1]:
        parts.append(f"Done more than once, which must not be: {', '.join(twice)}.")
    often = [f"{operation} {n}" for operation, n in saga.tries.items() if n > 1 and operation != failed]  # fmt: skip
    if often:
        parts.append(f"Tried more than once: {', '.join(often)} times.")
    if saga.parked.parked_now():
        parts.append(f"It waits for an operator at {saga.parked.parked_now()}.")
    told = [f"{status} at first" if i == 0 else f"{status} in the end" for i, status in enumerate(saga.line["told"][:1] + saga.line["told"][1:][-1:])]  # fmt: skip
    parts.append(f"The customer saw {' and '.join(told) or 'nothing'}.")
    return parts


def _refused_first(saga: SagaInRun, step: str) -> bool:
    """Whether a step was refused for a reason of its own, and not because its compensation was there before."""
    for row in saga.ledger:
        if saga.saga.undoes.get(row["operation"]) == step:
            return False
        if row["operation"] == step and row["effect"] == "refused":
            return True
    return False


def compared(sagas: Sequence[SagaInRun]) -> str:
    """How the styles differ in this order, in a sentence; "" if there is only one."""
    if len(sagas) < 2:
        return ""
    told = [steps(saga) for saga in sagas]
    lasted = [
        f"{one[-1].at_ms:.1f} ms ({saga.row.style})" for saga, one in zip(sagas, told, strict=True)
    ]
    alike = in_short(sagas[0]) == in_short(sagas[1])
    marks = [
        {s.key for s in one if s.mark in ("done", "undone", "refused", "failed")} for one in told
    ]
    only = [
        f"only in {saga.row.style}: {', '.join(dict.fromkeys(s.title for s in one if s.key in marks[i] - marks[1 - i]))}"
        for i, (saga, one) in enumerate(zip(sagas[:2], told[:2], strict=True))
        if marks[i] - marks[1 - i]
    ]  # fmt: skip
    how = (
        "Both styles took the same steps to the same outcome"
        if alike
        else "The styles took different steps"
    )
    return f"{'; '.join([f'{how}, in {_and(lasted)}', *only])}."


def _and(texts: Sequence[str]) -> str:
    return " and ".join(texts)
