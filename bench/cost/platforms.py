"""Platforms and their formulas: what an order, a million orders and a month cost on each, and what compensations and retries add."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.cost.counts import COMMITTED, REFUSED, RETRIED, Counts, Use
from bench.cost.prices import Price
from kernel.errors import UsageError
from scenarios.styles.index import STYLES

DAYS_A_MONTH = 365.25 / 12
MILLION = 1e6
EXPRESS_MOST_S = 300.0
MOST_KIB = 256.0
"""What a state of Step Functions and a message of SNS can hold. Source: quotas in their guides."""
CHUNK_KIB = 64.0
"""What SNS and SQS bill as one request."""
_BATCH = 10
Range = tuple[float, float]
"""From the lowest to the highest price, in US dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCase:
    """Whose money it is. Ratios 0 to 1: `refused` orders, and `retried` ones of which an attempt failed. `execution_s`: how long a saga takes.
    `payload_kib`: what every message carries beside what was counted.
    """

    orders_per_day: float
    refused_ratio: float
    retried_ratio: float
    execution_s: float
    payload_kib: float = 0.0
    memory_mb: float = 64.0
    task_ms: float = 100.0
    task_mb: float = 128.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """`formula(use, case, prices)`: dollars an order, as the least and the most. `monthly`: the price that is paid for a month whatever comes,
    "" = none. `hosts`: whether it runs services, not coordination. `note(case)`: why it cannot be used, "" = it can.
    """

    name: str
    conducted: bool
    uses: tuple[str, ...]
    formula: Callable[[Use, CostCase, Mapping[str, Price]], Range]
    in_words: str
    monthly: str = ""
    hosts: bool = False
    note: Callable[[CostCase], str] = lambda case: ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a platform costs in a case, in US dollars; None = a price is missing, named in `missing`. `why_not`: why it cannot be used."""

    platform: Platform
    per_million: Range | None
    per_month: Range | None
    compensations: Range | None
    retries: Range | None
    missing: str = ""
    why_not: str = ""


def _times(n: float, price: Price) -> Range:
    assert price.low is not None
    assert price.high is not None
    return n * price.low, n * price.high


def _plus(*ranges: Range) -> Range:
    return sum(low for low, _ in ranges), sum(high for _, high in ranges)


def _scaled(n: float, amount: Range) -> Range:
    return n * amount[0], n * amount[1]


def _standard(use: Use, case: CostCase, price: Mapping[str, Price]) -> Range:
    return _times(use.transitions, price["standard.transition"])


def gb_s_of_express(case: CostCase) -> float:
    """GB-seconds of one Express execution: duration in steps of 100 ms, memory in steps of 64 MB."""
    return math.ceil(case.execution_s * 10 - 1e-9) / 10 * math.ceil(case.memory_mb / 64) * 64 / 1024


def _express(use: Use, case: CostCase, price: Mapping[str, Price]) -> Range:
    return _plus(
        _times(1, price["express.request"]), _times(gb_s_of_express(case), price["express.gb_s"])
    )


def _flat(use: Use, case: CostCase, price: Mapping[str, Price]) -> Range:
    return 0.0, 0.0


def _queues(use: Use, case: CostCase, price: Mapping[str, Price]) -> Range:
    chunks = (use.kib / max(1.0, use.messages) + case.payload_kib) / CHUNK_KIB
    published = _times(use.messages * max(1, math.ceil(chunks)), price["sns.publish"])
    in_batches = use.deliveries * (max(1 / _BATCH, chunks) + 1 / _BATCH)
    one_by_one = use.deliveries * (max(1, math.ceil(chunks)) + 1)
    low, high = (
        _times(in_batches, price["sqs.request"])[0],
        _times(one_by_one, price["sqs.request"])[1],
    )
    return _plus(published, (low, high))


def _functions(use: Use, case: CostCase, price: Mapping[str, Price]) -> Range:
    calls = use.tasks or use.deliveries
    gb_s = calls * case.task_ms / 1000 * case.task_mb / 1024
    return _plus(_times(calls, price["lambda.request"]), _times(gb_s, price["lambda.gb_s"]))


def _too_large(case: CostCase) -> str:
    return f"impossible: {MOST_KIB:g} KiB at most, pass a reference" if case.payload_kib >= MOST_KIB else ""  # fmt: skip


def _no_express(case: CostCase) -> str:
    return f"impossible: Express ends after {EXPRESS_MOST_S:g} s" if case.execution_s > EXPRESS_MOST_S else _too_large(case)  # fmt: skip


PLATFORMS: tuple[Platform, ...] = (
    Platform(name="Step Functions Standard", conducted=True, uses=("standard.transition",), formula=_standard, in_words="transitions x price", note=_too_large),
    Platform(name="Step Functions Express", conducted=True, uses=("express.request", "express.gb_s"), formula=_express, in_words="1 request + GB-seconds (at-least-once: needs the inbox; no history)", note=_no_express),
    Platform(name="SNS and SQS", conducted=False, uses=("sns.publish", "sqs.request"), formula=_queues, in_words="64 KiB chunks of messages x publish + requests to receive and delete (least: in full batches)", note=_too_large),
    Platform(name="RabbitMQ of your own", conducted=False, uses=("rabbitmq.month",), formula=_flat, in_words="flat", monthly="rabbitmq.month"),
    Platform(name="Amazon MQ", conducted=False, uses=("amazon_mq.month",), formula=_flat, in_words="flat", monthly="amazon_mq.month"),
    Platform(name="services on Lambda, conducted", conducted=True, uses=("lambda.request", "lambda.gb_s"), formula=_functions, in_words="tasks x (request + GB-seconds)", hosts=True),
    Platform(name="services on Lambda, reacting", conducted=False, uses=("lambda.request", "lambda.gb_s"), formula=_functions, in_words="deliveries x (request + GB-seconds)", hosts=True),
    Platform(name="services on workers of your own", conducted=True, uses=("workers.month",), formula=_flat, in_words="flat, the same in both styles", monthly="workers.month", hosts=True),
)  # fmt: skip


def bills(counts: Counts, case: CostCase, prices: Mapping[str, Price]) -> list[Bill]:
    """A bill of each platform. Raise UsageError if the runs have no order of an outcome that the case asks for."""
    style_of = {style.conducted: name for name, style in STYLES.items()}
    return [_bill(one, counts[style_of[one.conducted]], case, prices) for one in PLATFORMS]


def _bill(one: Platform, uses: Mapping[str, Use], case: CostCase, prices: Mapping[str, Price]) -> Bill:  # fmt: skip
    why_not = one.note(case)
    missing = next((name for name in one.uses if prices[name].low is None), "")
    if missing or why_not:
        how = prices[missing].where() if missing and not why_not else ""
        return Bill(platform=one, per_million=None, per_month=None, compensations=None, retries=None, missing=how, why_not=why_not)  # fmt: skip
    ratios = {REFUSED: case.refused_ratio, RETRIED: case.retried_ratio}
    if absent := [name for name, ratio in ratios.items() if ratio and name not in uses]:
        raise UsageError(
            f"the runs have no {absent[0]} order: add runs that have some, or set that ratio to 0"
        )
    each = {name: one.formula(use, case, prices) for name, use in uses.items()}
    base = each[COMMITTED]
    more = {
        name: _scaled(ratio, _plus(each[name], _scaled(-1, base))) if ratio else (0.0, 0.0)
        for name, ratio in ratios.items()
    }
    flat = _times(1, prices[one.monthly]) if one.monthly else (0.0, 0.0)
    a_month = case.orders_per_day * DAYS_A_MONTH
    month = _plus(_scaled(a_month, _plus(base, *more.values())), flat)
    return Bill(
        platform=one,
        per_month=month,
        per_million=_scaled(MILLION / a_month, month),
        compensations=_scaled(a_month, more[REFUSED]),
        retries=_scaled(a_month, more[RETRIED]),
    )


def break_even_per_day(paid_per_order: Bill, flat: Bill, case: CostCase) -> Range | None:
    """Orders a day from which the flat price is the lower one, over the ranges of both prices; None = never, or a price is missing."""
    if paid_per_order.per_month is None or flat.per_month is None:
        return None
    order = _scaled(1 / (case.orders_per_day * DAYS_A_MONTH), paid_per_order.per_month)
    if min(order) <= 0:
        return None
    low, high = flat.per_month
    return low / order[1] / DAYS_A_MONTH, high / order[0] / DAYS_A_MONTH
