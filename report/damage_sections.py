"""Sections about damage: what breaks and what prevents it, and who was hurt and why."""

from report.again import command_of
from report.damage import COLUMNS as DAMAGE_COLUMNS
from report.damage import alike, broken_laws, damages, in_words
from report.found import Found
from report.lessons import COLUMNS as LESSON_COLUMNS
from report.lessons import arms, lessons
from report.lessons_chart import hurt_bars
from report.section import Section

MOST_DAMAGES = 3
"""Named in the headline; if there are more, the table alone has them."""


def what_breaks(found: Found) -> Section | None:
    """What breaks without a safeguard, and which one prevents it."""
    said = lessons(found.rows)
    if not said:
        return None
    shown = arms(found.rows)
    return Section(
        name="lessons",
        title="What breaks, and what prevents it?",
        answer=said[-1],
        points=said[:-1],
        reading="One line per scenario and set of safeguards, one bar per style: the share of orders that ended inconsistent or whose customer was shown a false status. A dot at zero means no order was hurt.",
        not_reading="The faults were injected into a fixed share of orders: the bars show what a fault does, not how often it happens to you.",
        command=command_of(found.rows),
        figure=hurt_bars(shown),
        table=(LESSON_COLUMNS, [arm.line() for arm in shown]),
    )


def damage(found: Found) -> Section | None:
    """Who was hurt, and why."""
    hurt = damages(found.rows)
    if not hurt:
        return None
    whole = {(row.scenario, row.label) for row in found.rows if not row.no_counterpart}
    spared = len(whole - {(one.scenario, one.arm) for one in hurt})
    kinds = alike(hurt)
    more = len(kinds) - MOST_DAMAGES
    told = " ".join(in_words(kind) for kind in kinds[:MOST_DAMAGES])
    told += "".join(f" {law}" for law in broken_laws(found.rows)[:MOST_DAMAGES])
    if more > 0:
        told = f"{len(kinds)} kinds of damage in {len(whole) - spared} of {len(whole)} runs; the table gives the orders and the reason of each."
    told += f" In the other {spared} of {len(whole)} runs no order was hurt." if spared else ""
    return Section(
        name="damage",
        title="Who was hurt, and why?",
        answer=told,
        reading="One line per run and kind of damage: the number of orders, their ids, the judge's reason, the injected fault, and what the disabled safeguard would have prevented.",
        not_reading="The reason is the most frequent one among these orders; orders.csv has the reason of each.",
        command=command_of(found.rows),
        figure=None,
        table=(DAMAGE_COLUMNS, [one.line() for one in hurt]),
        data=(DAMAGE_COLUMNS, [one.line(every=True) for one in hurt]),
    )
