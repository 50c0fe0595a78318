"""The columns of runs.csv and orders.csv: one line per run, and one line per order. docs/reference/columns.md is made from them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.arms import guards_in_words
from bench.latency import proportion, quantile
from bench.results import RunRow
from scenarios.judge.verdict import OrderClass
from scenarios.runs.folder import read_lines


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name with the unit last, what it means, and its value."""

    name: str
    meaning: str
    value: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order of a run: its line of orders.jsonl, its verdict, its times, and the faults that struck it."""

    run: RunRow
    line: dict[str, Any]
    verdict: dict[str, Any]
    timing: dict[str, Any]
    faults: tuple[str, ...]


def _about(key: str) -> Callable[[RunRow], Any]:
    return lambda row: row.about.get(key)


def _rule(key: str) -> Callable[[RunRow], Any]:
    return lambda row: row.about["policy"][key]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _latency_ms(q: float) -> Callable[[RunRow], float | None]:
    return lambda row: _ms(row.latency_s(q)) if row.comparable else None


def _of_class(name: str) -> Callable[[RunRow], int]:
    return lambda row: int(row.verdict["classes"].get(name, 0))


def _growth(row: RunRow) -> float | None:
    growth = row.load.get("wait_growth_s")
    return None if growth == "open" else growth


RUN_COLUMNS: tuple[Column, ...] = (
    Column("run", "name of the run folder", lambda row: row.folder.name),
    Column("scenario", "see `saga list`", _about("scenario")),
    Column("arm", "style, and how this run differs from the others in the report", lambda r: r.label),
    Column("style", "choreography or orchestration", _about("style")),
    Column("saga", "which saga", lambda row: row.saga.name),
    Column("step_order", "variant of the saga", _about("step_order")),
    Column("guards", "`all guards`, `no guards`, or `without` those that were off", lambda row: guards_in_words(row.about["guards"])),
    Column("broker", "broker of the choreography", lambda row: row.about["backends"]["broker"]),
    Column("engine", "engine of the orchestration", lambda row: row.about["backends"]["engine"]),
    Column("pair", "`embedded` (broker and engine in this process), `real` (RabbitMQ, and the engine over HTTP) or `mixed`", lambda row: row.about["backends"]["pair"]),
    Column("durability", "`process` or `power`", _about("durability")),
    Column("processes", "whether each participant had a process of its own", _about("processes")),
    Column("customers_apart", "whether customers had a process of their own", lambda row: row.about.get("customers_apart", False)),
    Column("time_scale", "factor of every wait and deadline", lambda r: r.about["policy"]["time_scale"]),
    Column("rate_per_s", "customers per second that were asked for", _about("rate_per_s")),
    Column("arrivals", "gaps between customers: `poisson` or `constant`", _about("arrivals")),
    Column("service_times", "how long services take, in ms before the time scale", _about("service_times")),
    Column("retries", "retries after the first attempt", _rule("max_retries")),
    Column("retry_interval_s", "wait before the first retry, before the time scale", _rule("interval_s")),
    Column("step_deadline_s", "step deadline, before the time scale", _rule("step_deadline_s")),
    Column("saga_deadline_s", "saga deadline, before the time scale", _rule("saga_deadline_s")),
    Column("on_deadline", "`compensate` or `report`", _rule("on_deadline")),
    Column("own_plan", "whether faults of the user's own were added", lambda row: (row.folder / "extra_plan.json").exists()),
    Column("seed", "seed of customers, arrivals and chance", _about("seed")),
    Column("judgement", "CONSISTENT, INCONSISTENT or UNKNOWN", lambda row: row.verdict["judgement"]),
    Column("as_expected", "whether every order ended as the scenario says", lambda r: r.verdict["as_expected"]),
    Column("no_counterpart", "whether its fault or guard means nothing in this style", lambda row: row.no_counterpart),
    Column("orders", "orders that were judged", lambda row: row.orders),
    *(Column(f"{name.replace('-', '_')}", f"orders that are {name}", _of_class(name)) for name in map(str, OrderClass)),
    Column("lied", "orders whose customer was shown a status that is not so; they also count in their class", lambda row: row.verdict["lied"]),
    Column("inconsistent", "orders that are duplicated, half-done or stuck (in the open too), or whose customer was shown what is not so", lambda row: len(row.bad)),
    Column("inconsistent_low_ratio", "lower bound of its share, exact two-sided 95 % interval", lambda r: proportion(len(r.bad), r.orders).low_ratio),
    Column("inconsistent_high_ratio", "upper bound of its share, exact two-sided 95 % interval; texts give 3/n where none is", lambda r: proportion(len(r.bad), r.orders).high_ratio),
    Column("offered_per_s", "customers who came, per second; empty = fewer than 12 orders", lambda row: row.load.get("offered_per_s")),
    Column("achieved_per_s", "orders that ended, per second; empty = fewer than 12", lambda row: row.load.get("achieved_per_s")),
    Column("wait_growth_s", "how much longer the last customers waited than the quickest, or how long to be accepted; empty = too few orders, a disturbed coordinator, or most of the last ones saw no end", _growth),
    Column("saturated", "whether deadlines passed by queueing alone", lambda row: row.load.get("saturated")),
    Column("comparable", "whether its latency may be compared with the other style's; if not, the latencies are empty", lambda row: row.comparable),
    Column("latency_p50_ms", "intended start to the order's last row, median over ended orders", _latency_ms(0.5)),
    Column("latency_p95_ms", "the same, 95th percentile", _latency_ms(0.95)),
    Column("latency_p99_ms", "the same, 99th percentile", _latency_ms(0.99)),
    Column("money_exposure_p50_ms", "charge to confirmation or refund, median", lambda r: _ms(quantile(r.times("money_exposure_s"), 0.5)) if r.comparable else None),
    Column("money_open", "orders that were charged and neither confirmed nor refunded when the run ended", lambda r: r.still_open("money")),
    Column("inconsistency_s", "time during which ended orders contradicted their effects, all orders together, where it ended", lambda r: r.inconsistency_s(still_open=False)),
    Column("inconsistency_open", "orders for which it had not ended when the run did", lambda r: r.still_open("inconsistency")),
    Column("inconsistency_open_s", "their time so far: a lower bound", lambda r: r.inconsistency_s(still_open=True)),
)  # fmt: skip


ORDER_COLUMNS: tuple[Column, ...] = (
    Column("run", "name of the run folder: joins orders.csv to runs.csv", lambda o: o.run.folder.name),
    Column("scenario", "see `saga list`", lambda o: o.run.scenario),
    Column("arm", "as in runs.csv", lambda o: o.run.label),
    Column("style", "choreography or orchestration", lambda o: o.run.style),
    Column("seed", "seed of the run", lambda o: o.run.about["seed"]),
    Column("index", "number of the customer, from 0: the same in every arm", lambda o: o.line["index"]),
    Column("order_id", "name of the saga", lambda o: o.verdict["order_id"]),
    Column("order", "what was ordered, as JSON", lambda o: json.dumps(o.line["order"], sort_keys=True)),
    Column("class", "the verdict on the order: see docs/reference/verdicts.md", lambda o: o.verdict["order_class"]),
    Column("lied", "whether the customer was shown a status that is not so", lambda o: o.verdict["lied"]),
    Column("why", "the reason, if it is not a good class", lambda o: o.verdict["why"]),
    Column("rules", "the rules that it breaks, separated by `; `", lambda o: "; ".join(o.verdict.get("rules", []))),
    Column("faults", "the faults that struck it, `moment at operation`, separated by `; `", lambda o: "; ".join(o.faults)),
    Column("came_s", "when the customer meant to come, on the host's monotonic clock", lambda o: o.line["intended_mono_s"]),
    Column("accepted_s", "when the order was accepted, on the same clock; empty = never", lambda o: o.line["accepted_mono_s"]),
    Column("attempts", "how often the customer asked until it was accepted", lambda o: o.line["attempts"]),
    Column("first_status", "the status the customer was shown first", lambda o: (o.line["told"] or [""])[0]),
    Column("last_status", "the status the customer was shown last", lambda o: (o.line["told"] or [""])[-1]),
    Column("latency_ms", "intended start to the order's last row; empty = it did not end", lambda o: _ms(o.timing["latency_s"])),
    Column("money_exposure_ms", "charge to confirmation or refund; empty = not charged", lambda o: _ms(o.timing["money_exposure_s"])),
    Column("stock_exposure_ms", "reservation to confirmation or release; empty = nothing reserved", lambda o: _ms(o.timing["stock_exposure_s"])),
    Column("inconsistency_ms", "time during which the ended order contradicted its effects; a lower bound if `open` names it", lambda o: _ms(o.timing["inconsistency_s"])),
    Column("open", "intervals that were still open when the run ended, so that their times are lower bounds: money, stock, inconsistency", lambda o: "; ".join(o.timing["open"])),
)  # fmt: skip


def values(columns: Sequence[Column], row: object) -> dict[str, Any]:
    """One line, by column."""
    return {column.name: column.value(row) for column in columns}


def order_rows(run: RunRow) -> Iterator[OrderRow]:
    """Every order of a run, as the customers came."""
    struck: dict[str, list[str]] = {}
    for fault in read_lines(run.folder / "faults.jsonl"):
        if fault["struck"]:
            name = f"{fault['moment']} at {fault['operation']}"
            struck.setdefault(fault["order_id"], []).append(name)
    lines = {line["order"]["order_id"]: line for line in read_lines(run.folder / "orders.jsonl")}
    timings = {timing["order_id"]: timing for timing in run.verdict["timing"]["orders"]}
    for verdict in run.verdict["orders"]:
        order_id = verdict["order_id"]
        yield OrderRow(
            run=run,
            line=lines[order_id],
            verdict=verdict,
            timing=timings[order_id],
            faults=tuple(struck.get(order_id, ())),
        )
