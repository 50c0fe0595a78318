"""The comparison as one table: a line per scenario and style."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.latency import proportion, quantile
from bench.results import RunRow
from report.text_table import plain
from scenarios.judge.verdict import Judgement

COLUMNS = (
    "scenario",
    "arm",
    "verdict",
    "orders",
    "came / ended per s",
    "latency p50 / p95 ms",
    "money exposure p50 ms",
    "inconsistency-s",
)
MEANING = {
    "arm": "the style, and how the run differs from the others here",
    "came / ended per s": "customers who came (at random gaps, so that a short run differs from --rate), and orders that ended, per second of real time; from 12 orders on",
    "latency p50 / p95 ms": "intended start to the order's last row, of the orders that ended",
    "money exposure p50 ms": "charge to confirmation or refund; still open = neither had come when the run ended",
    "inconsistency-s": "seconds during which ended orders contradicted their effects, all orders together",
}
FAR = 0.5
"""Less than this share of the limit is called far from saturation."""
LEAST_COLUMNS = 150
"""A narrower terminal gets a block per scenario instead of the table."""


def cells(row: RunRow) -> tuple[str, ...]:
    """One line of the table, as texts in the order of COLUMNS."""
    if row.no_counterpart:
        return (row.scenario, row.label, "no counterpart", *("" for _ in COLUMNS[3:]))
    return (
        row.scenario,
        row.label,
        _verdict(row),
        ended_as(row),
        _load(row),
        _latency(row),
        _exposure(row),
        _inconsistency(row),
    )


def _verdict(row: RunRow) -> str:
    judgement = row.verdict["judgement"]
    if judgement == Judgement.UNKNOWN:
        return f"{judgement}, saturated" if row.load.get("saturated") else str(judgement)
    surprising = judgement == Judgement.CONSISTENT and not row.verdict["as_expected"]
    return f"{judgement}, not as expected" if surprising else str(judgement)


def ended_as(row: RunRow) -> str:
    """The orders by class, which add up to all of them, and how many customers were shown what is not so."""
    kinds = ", ".join(f"{k} {name}" for name, k in row.classes().items())
    told = row.verdict["lied"]
    return f"{kinds} of {row.orders}" + (f"; {told} of them shown a false status" if told else "")


def comparison(rows: Sequence[RunRow], *, columns: int = LEAST_COLUMNS) -> RenderableType:
    """The comparison for a terminal of so many columns: a table, or where that is too wide a block per scenario."""
    title = "What each style does when something breaks"
    if columns < LEAST_COLUMNS:
        return Group(Text(title, style="italic"), *_blocks(rows))
    table = Table(title=title, title_justify="left")
    for column in COLUMNS:
        table.add_column(column, no_wrap=column == "scenario")
    before = ""
    for row in rows:
        first, *rest = map(plain, cells(row))
        if row.scenario != before and before:
            table.add_section()
        table.add_row("" if row.scenario == before else first, *rest, style=_style(row))
        before = row.scenario
    return table


def distance_from_saturation(rows: Sequence[RunRow]) -> str:
    """How far these runs stayed from a load at which deadlines pass by queueing alone, in a sentence."""
    judged = [row for row in rows if row.load.get("wait_growth_s") is not None]
    if full := [f"{row.scenario} in {row.label}" for row in judged if row.load.get("saturated")]:
        return f"Load: saturated: {', '.join(full)}. What deadlines did there says nothing about a style."
    if not judged:
        return "Load: too few orders, or a disturbed coordinator: distance from saturation is not known."
    known = f" (judged in {len(judged)} of {len(rows)} runs)" if len(judged) < len(rows) else ""
    share, row = max(((r.load["wait_growth_s"] / r.load["limit_s"], r) for r in judged), key=lambda pair: pair[0])  # fmt: skip
    return (
        f"Load: far from saturation{known}. The last customers waited at most {1000 * row.load['wait_growth_s']:.0f} ms longer than the"
        f" quickest ({row.scenario}, {row.label}); saturation would be {1000 * row.load['limit_s']:.0f} ms."
        if share < FAR
        else f"Load: close to saturation in {row.scenario}, {row.label}: the last customers waited {1000 * row.load['wait_growth_s']:.0f} ms"
        f" longer than the quickest, saturation is {1000 * row.load['limit_s']:.0f} ms. Raise --time-scale or lower --rate."
    )


def _blocks(rows: Sequence[RunRow]) -> Iterator[RenderableType]:
    before = ""
    for row in rows:
        if row.scenario != before:
            yield Text(f"\n{row.scenario}", style="bold")
        before = row.scenario
        _, arm, *rest = cells(row)
        yield plain(f"  {arm}")
        block = Table.grid(padding=(0, 2, 0, 0))
        block.add_column(no_wrap=True)
        block.add_column(overflow="fold")
        for name, text in zip(COLUMNS[2:], rest, strict=True):
            if text:
                block.add_row(f"    {name}", plain(text), style=_style(row))
        yield block


def _style(row: RunRow) -> str:
    return "" if row.verdict["as_expected"] else "bold red"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.1f}"


def _latency(row: RunRow) -> str:
    if not row.comparable:
        return "not comparable"
    return f"{_ms(row.latency_s(0.5))} / {_ms(row.latency_s(0.95))}"


def _load(row: RunRow) -> str:
    rates = [row.load.get("offered_per_s"), row.load.get("achieved_per_s")]
    return "-" if None in rates else " / ".join(f"{rate:.0f}" for rate in rates)


def _exposure(row: RunRow) -> str:
    if not row.comparable:
        return "not comparable"
    middle = _ms(quantile(row.times("money_exposure_s"), 0.5))
    still = row.still_open("money")
    return middle + (f", {still} still open" if still else "")


def _inconsistency(row: RunRow) -> str:
    still = row.still_open("inconsistency")
    closed = row.inconsistency_s(still_open=False)
    if not still:
        return f"{closed:.2f}"
    least = closed + row.inconsistency_s(still_open=True)
    return f"at least {least:.2f}: {still} orders still at the end"


def findings(row: RunRow, *, most: int = 3) -> list[str]:
    """What is wrong with a run, as lines: problems, broken laws and bad orders with the rows that prove it."""
    verdict = row.verdict
    lines = verdict["problems"][:most]
    more = len(verdict["problems"]) - most
    lines += [f"... and {more} more in verdict.json"] if more > 0 else []
    lines += [
        f"broken law: {law['law']}: {law['why']}" for law in verdict["laws"] if not law["held"]
    ]
    for order in row.bad[:1]:
        lines.append(f"{order['order_id']}: {order['order_class']}, because {order['why']}:")
        lines += [f"  broken rule: {rule}" for rule in order.get("rules", [])]
        lines += [f"  {_witness(witness)}" for witness in order["witnesses"]]
    if isolation := verdict.get("isolation"):
        lines.append(_isolation(isolation))
    lines += [f"note: {note}" for note in row.about["notes"]]
    return [plain(f"{row.scenario}, {row.label}: {line}").plain for line in lines]


def worst_order(row: RunRow) -> str:
    """An order that shows what is wrong with a run, "" = nothing is, or no order does."""
    if row.bad:
        return str(row.bad[0]["order_id"])
    broken = (law for law in row.verdict["laws"] if not law["held"])
    witnesses = (w for law in broken for w in law["witnesses"] if "order_id" in w)
    return next((str(w["order_id"]) for w in witnesses), "")


def _isolation(found: dict[str, Any]) -> str:
    """What readers saw of unfinished sagas."""
    n = found["visits"]
    seen = ", ".join(
        f"{name.replace('_', ' ')} {proportion(found[name], n)}"
        for name in ("dirty_reads", "fuzzy_reads", "dirty_stock_reads", "fuzzy_stock_reads")
    )
    return (
        f"isolation, {n} visits of two looks: {seen}; lost updates {found['lost_updates']}, oversold {found['oversold']},"
        f" turned away for stock that came back {found['turned_away']}"
    )


def _witness(row: dict[str, Any]) -> str:
    return (
        f"{row['participant']} ledger row {row['seq']}: {row['operation']} {row['effect']} {row['delta']:+d},"
        f" message {row['message_id']}, caused by {row['caused_by']}"
    )


def soak_table(figures: dict[str, dict[str, Any]]) -> Table:
    """What a soak came to, a column per style."""
    table = Table("", *figures, title="Outcome of the soak", title_justify="left")

    def line(name: str, text: Callable[[dict[str, Any]], str]) -> None:
        table.add_row(name, *(text(found) for found in figures.values()))

    line("orders", lambda f: str(sum(f["classes"].values())))
    for name in sorted({name for f in figures.values() for name in f["classes"]}):
        line(f"  {name}", lambda f, n=name: str(f["classes"].get(n, 0)))  # type: ignore[misc]
    line("faults injected into single orders", lambda f: str(f["struck_in_orders"]))
    line("disturbances at a time", lambda f: str(f["at_once"]))
    line("disturbances of the environment", lambda f: str(sum(f["troubles"].values())))
    for name in sorted({name for f in figures.values() for name in f["troubles"]}):
        line(f"  {name}", lambda f, n=name: _trouble(f, n))  # type: ignore[misc]
    line("redeliveries", lambda f: str(f["redeliveries"]))
    line("requests beyond the first", lambda f: str(f["repeated"]))
    line("parked: dead letters or failed executions", lambda f: str(f["parked"]))
    line("left in work queues, or running", lambda f: str(f["backlog"]))
    line("lasted, s", lambda f: str(f["lasted_s"]))
    return table


def _trouble(figures: dict[str, Any], name: str) -> str:
    times = figures["troubles"].get(name)
    if times is None:
        return "-"
    longest = figures["longest_recovery_s"].get(name)
    return f"{times}" + ("" if longest is None else f" (recovered within {longest:g} s)")
