"""What platforms cost, as tables and sentences: for a terminal, a page and a program."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.cost.counts import Counts
from bench.cost.platforms import Bill, CostCase, Range, break_even_per_day
from bench.cost.prices import Price
from report.text_table import Row

COLUMNS = ("platform", "USD per million orders", "USD a month", "of which compensations", "of which retries", "formula")  # fmt: skip
NOT_COUNTED = "Not counted: data transfer, logs and metrics, storage, idle polling, the databases, free tiers, and people."
_COUNTED = ("transitions", "tasks", "messages", "deliveries", "kib")


def lines(found: Sequence[Bill]) -> list[Row]:
    """One line for each platform."""
    return [
        (
            bill.platform.name,
            bill.why_not or bill.missing or in_usd(bill.per_million),
            in_usd(bill.per_month),
            in_usd(bill.compensations),
            in_usd(bill.retries),
            bill.platform.in_words,
        )
        for bill in found
    ]


def in_usd(amount: Range | None) -> str:
    """`12.30`, `12.30 to 15.00`, or "" if it is not known."""
    if amount is None:
        return ""
    low, high = (f"{usd:,.2f}" for usd in amount)
    return low if low == high else f"{low} to {high}"


def counted(counts: Counts) -> list[Row]:
    """What an order uses: one line for each style and outcome."""
    return [
        (
            style,
            outcome,
            use.orders,
            *(f"{getattr(use, name):.1f}" if getattr(use, name) else "" for name in _COUNTED),
        )
        for style, outcomes in counts.items()
        for outcome, use in outcomes.items()
    ]


COUNTED_COLUMNS = ("style", "outcome", "orders counted", "transitions", "tasks", "messages", "deliveries", "KiB of messages")  # fmt: skip


def break_evens(found: Sequence[Bill], case: CostCase) -> list[str]:
    """From how many orders a day a flat price is the lower one: coordination beside coordination, what runs services beside its like."""
    sentences = []
    for flat in (bill for bill in found if bill.platform.monthly):
        alike = [b for b in found if b.platform.hosts == flat.platform.hosts]
        for paid in (b for b in alike if not b.platform.monthly):
            span = break_even_per_day(paid, flat, case)
            if span is not None:
                low, high = (f"{orders:,.0f}" for orders in span)
                where = low if low == high else f"{low} to {high}"
                sentences.append(f"{flat.platform.name} costs less than {paid.platform.name} above {where} orders a day")  # fmt: skip
    return sentences


def price_lines(prices: Mapping[str, Price]) -> list[Row]:
    """Name, figure, unit, and where it is from or how to give it."""
    return [(p.name, p.figure(), p.unit, p.where()) for p in prices.values()]


def as_document(counts: Counts, found: Sequence[Bill], case: CostCase) -> dict[str, Any]:
    """Everything, for a program. Amounts in US dollars, [low, high]; null = not known."""
    return {
        "schema": 1,
        "ok": True,
        "platforms": [
            {
                "platform": bill.platform.name,
                "usd_per_million": bill.per_million,
                "usd_per_month": bill.per_month,
                "usd_of_compensations": bill.compensations,
                "usd_of_retries": bill.retries,
                "why_not": bill.why_not or bill.missing,
            }
            for bill in found
        ],
        "break_even": break_evens(found, case),
        "use": [dict(zip(COUNTED_COLUMNS, row, strict=True)) for row in counted(counts)],
    }
