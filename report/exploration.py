"""What exploration found, as tables."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.latency import proportion
from scenarios.campaigns.simulation.agreement import Agreement
from scenarios.campaigns.simulation.explore import Explored
from scenarios.campaigns.simulation.finding import Finding
from scenarios.campaigns.simulation.hunt import Hunted
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.judge.verdict import OrderClass


def summary(found: Explored) -> str:
    """What was explored and how it went, in a few lines."""
    per_core = found.sagas / max(found.busy_s, 1e-9)
    kinds = f" of {len(found.kinds)} kinds" if found.failed else ""
    if not found.runs:
        return "nothing was explored"
    return (
        f"{proportion(found.failed, found.runs)} schedules with something wrong{kinds};"
        f" {proportion(found.inconsistent, found.sagas)} sagas inconsistent\n"
        f"{found.struck:,} of {found.faults:,} faults struck, {len(found.states):,} distinct states of a saga\n"
        f"{found.wall_s:.1f} s: {found.runs / found.wall_s:.0f} runs/s, {found.sagas / found.wall_s:.0f} sagas/s,"
        f" {per_core:.0f} for each second of a core; the longest run took {found.longest_virtual_s:.1f} s of virtual time\n"
        f"ended as: {', '.join(f'{n:,} {name}' for name, n in found.classes.items() if n)}"
    )


def kinds_table(shrunk: Sequence[tuple[int, Finding]]) -> Table:
    """Every kind of finding, with the smallest schedule that shows it."""
    table = Table("runs", "style", "rules", "orders", "faults and delays", title="What is wrong", title_justify="left")  # fmt: skip
    for n, finding in shrunk:
        table.add_row(
            str(n),
            finding.schedule.style,
            Text("\n".join(finding.rules)),
            str(finding.schedule.orders),
            Text("\n".join(_plan(finding.schedule))),
        )
    return table


def agreement_table(agreed: Sequence[Agreement]) -> Table:
    """How often real and simulated ends are the same, by simulated class, with 95 % intervals."""
    table = Table(
        "simulated", "real runs agree", "real outcomes that the simulation can also produce", title="Agreement, order by order",
        title_justify="left",
    )  # fmt: skip
    orders: Counter[str] = Counter()
    same: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for one in agreed:
        for (name, lied), real in zip(one.simulated, one.real, strict=False):
            orders[name] += 1
            same[name] += (name, lied) == real
            known[name] += (name, lied) == real or bool(one.reached)
    for name in map(str, OrderClass):
        if orders[name]:
            table.add_row(
                name,
                str(proportion(same[name], orders[name])),
                str(proportion(known[name], orders[name])),
            )
    spoke = [one for one in agreed if one.real]
    table.add_section()
    table.add_row(
        "whole schedules",
        str(proportion(sum(one.agrees for one in spoke), len(spoke))),
        str(proportion(sum(one.agrees or bool(one.reached) for one in spoke), len(spoke))),
    )
    return table


def _plan(schedule: Schedule) -> list[str]:
    """Faults and delays, a line each."""
    delays = [f"delay: {fault}" for fault in schedule.delays.faults]
    return [*map(str, schedule.faults.faults), *delays] or ["none"]


def hunted_table(hunted: Sequence[Hunted]) -> Table:
    """Every planted bug with the run that found it, and what was left of that."""
    table = Table(
        "bug", "style", "found in run", "orders", "faults and delays", "broken rules",
        title="Planted bugs, explored", title_justify="left",
    )  # fmt: skip
    for one in hunted:
        if one.shrunk is None:
            table.add_row(one.bug, one.style, f"not in {one.runs}", style="bold red")
            continue
        table.add_row(
            one.bug,
            one.style,
            str(one.run),
            str(one.shrunk.schedule.orders),
            Text("\n".join(_plan(one.shrunk.schedule))),
            Text("\n".join(one.shrunk.rules)),
        )
    return table


def hunted_markdown(hunted: Sequence[Hunted]) -> str:
    """The same as Markdown."""
    lines = [
        "| bug | style | found in run | orders | faults and delays | broken rules |",
        "|---|---|---|---|---|---|",
    ]
    for one in hunted:
        if one.shrunk is None:
            lines.append(f"| `{one.bug}` | {one.style} | not in {one.runs} | | | |")
            continue
        plan = "; ".join(_plan(one.shrunk.schedule))
        rules = "; ".join(f"**{r}**" if r == one.expected else r for r in one.shrunk.rules)
        orders = one.shrunk.schedule.orders
        lines.append(f"| `{one.bug}` | {one.style} | {one.run} | {orders} | {plan} | {rules} |")
    return "\n".join(lines) + "\n"
