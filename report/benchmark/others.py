"""Faults, saturation points, overload, growth and counts as tables."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.experiment import Done, Result
from bench.intervals import Estimate, clustered, slope
from bench.parts.counts import PATHS
from bench.parts.faults import NOTICED, TIME_SCALE
from bench.parts.growth import IN_FLIGHT, PAYLOAD
from bench.usage import BROKER
from report.benchmark.section import NOT_ENOUGH, Section, by_arm, per_process, quantile_ms, told

FLAT = 0.2
"""A cost that changes by less than this share from end to end is called flat."""
SHARED_FROM = {IN_FLIGHT: 16}
"""Below this many in flight the fixed cost of a turn of the loop has few to share it: the slope begins here."""
BUSY = 0.85
"""A process of Python that keeps so much of a core busy has no more to give."""


def faults(done: Iterable[Done]) -> list[Section]:
    """Detection and recovery."""
    noticing, recovering, estimates = [], [], {}
    for arm, rounds in sorted(by_arm(done).items(), key=lambda item: item[0].split(", ")[::-1]):
        style, scenario = arm.split(", ")
        if scenario in NOTICED:
            n = sum(len(r["on_again_s"]) for r in rounds.values())
            cells = []
            for what in ("noticed_s", "on_again_s"):
                found = quantile_ms(rounds, what, 0.5)
                worst = 1000 * max((x for r in rounds.values() for x in r[what]), default=0.0)
                cells += [told(found), f"{worst:.0f}"]
                if found is not None:
                    estimates[f"{arm}, {what} p50"] = found
            noticing.append((scenario, style, f"{n} in {len(rounds)} trials", *cells))
        else:
            cells = []
            for what in ("silent_s", "recovered_s"):
                values = [np.asarray([r[what]]) for r in rounds.values()]
                found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), values)
                cells.append(told(found, 2))
                estimates[f"{arm}, {what}"] = found
            concerned = sum(r["concerned"] for r in rounds.values())
            recovering.append((scenario, style, str(len(rounds)), str(concerned), *cells))
    scaled = f"Waits and deadlines are {TIME_SCALE:g} of the policy's (first retry {1000 * TIME_SCALE:.0f} ms)."
    return [
        Section(
            title="Until a failure is noticed, and until the saga continues, ms",
            columns=("scenario", "style", "struck sagas", "noticed p50", "most", "goes on p50", "most"),
            lines=noticing,
            reading="Noticed: from the fault to the coordinator's first act on it: the conductor's history has a failed call, or a service's delivery failed, or a message"
            f" is delivered again. Continues: to the saga's next ledger row. {scaled} A broker redelivers at once what was not acknowledged; a conductor whose call failed waits"
            " for its retry: that is the transport as it is used here, not the style. In 'lost_reply' the choreography loses a confirm: its event has gone out, and the saga goes on.",
            estimates={k: v for k, v in estimates.items() if k.endswith(" p50")},
        ),
        Section(
            title="Recovery after a coordinator failure, s",
            columns=("scenario", "style", "trials", "sagas concerned", "struck part silent", "all had ended"),
            lines=recovering,
            reading=f"From the fault on. {scaled} Silent: no ledger row by what it serves. Concerned: in flight during the failure, or started during it. RabbitMQ itself takes about four seconds to start, the engine half a second; 'frozen' and"
            " 'cut_off' last as long as the scenario says.",
            estimates={k: v for k, v in estimates.items() if not k.endswith(" p50")},
        ),
    ] if noticing or recovering else []  # fmt: skip


def saturation(done: Iterable[Done]) -> list[Section]:
    """Where each style stops keeping up, and why."""
    lines, profiles, estimates = [], [], {}
    for style, rounds in sorted(by_arm(done).items()):
        values = [r["saturation_per_s"] for r in rounds.values()]
        found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), [np.asarray([v]) for v in values])  # fmt: skip
        estimates[f"{style}, saturation per s"] = found
        for result in rounds.values():
            held, over = result["held"], result["steps"][-1]
            lines.append(
                (
                    style,
                    f"{result['saturation_per_s']:.0f}",
                    f"{held['sagas']} at {held['came_per_s']:.0f}/s, {held['censored']} lost"
                    + ("" if held["keeps_up"] else ", NOT KEPT UP"),
                    f"{held['latency_ms']['p50']:.0f} / "
                    + (
                        f"{held['latency_ms']['p99']:.0f}"
                        if "p99" in held["latency_ms"]
                        else NOT_ENOUGH
                    ),
                    per_process(over["cores_busy"], 2, least=0.03),
                    per_process(over["waiting"], 0),
                    bottleneck(over["cores_busy"]),
                )
            )
            for process, of in result["profile"].items():
                shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in of.items())
                profiles.append((style, process, shares or "no profile: py-spy is not installed, or not allowed here"))  # fmt: skip
    if not lines:
        return []
    return [
        Section(
            title="The saturation point of each style",
            columns=("style", "saturation, sagas/s", "held", "p50 / p99 ms", "cores busy beyond it", "sagas before or in", "bottleneck"),
            lines=lines,
            reading="The base mix, ramped up by 30 % until fewer than 95 % of as many sagas as came in the window ended in it, twice; then bisected. Held: 15 s at the saturation point less 10 %; "
            "every ledger was checked. Beyond it: at the highest rate that was tried. One line per round; rounds begin at different rates.",
            estimates=estimates,
        ),
        Section(
            title="What the processes do at the saturation point",
            columns=("style", "process", "samples, by the package of the innermost frame"),
            lines=profiles,
            reading="py-spy, 100 samples a second over six seconds at 90 % of the saturation point, in a separate run; threads that hold the interpreter's lock.",
        ),
    ]  # fmt: skip


def overload(done: Iterable[Done]) -> list[Section]:
    """What is still ended well beyond the saturation point."""
    lines, estimates = [], {}
    for style, rounds in sorted(by_arm(done).items()):
        for number, at in enumerate(next(iter(rounds.values()))["loads"]):
            loads = [r["loads"][number] for r in rounds.values()]
            shares = [
                np.asarray([load["good_per_s"] / max(each["good_per_s"] for each in r["loads"])])
                for r, load in zip(rounds.values(), loads, strict=True)
            ]
            share = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), shares)
            estimates[f"{style}, good at {at['times']:g} times"] = share
            lines.append(
                (
                    style,
                    f"{at['times']:g}",
                    _span("came_per_s", loads),
                    _span("ended_per_s", loads),
                    _span("good_per_s", loads),
                    share.told(2),
                    _span("drain_s", loads, places=1),
                    str(sum(load["not_as_expected"] for load in loads)),
                    str(sum(load["never_ended"] for load in loads)),
                )
            )
    return [
        Section(
            title="Beyond the saturation point",
            columns=("style", "times the saturation point", "came/s", "ended/s", "ended well/s", "of the best", "drained after s", "not as expected", "never ended"),
            lines=lines,
            reading="The base mix for eight seconds at multiples of the saturation point that the same trial found. Ended well: as the order's description says, not given up because a deadline passed. Of the best: of the"
            " most that the same trial ended well in one window. Drained: from the last customer until the last order had ended. The last two columns count orders of all rounds. Customers run in the same process as the services: when more come, less of its one core is left for sagas.",
            estimates=estimates,
        )
    ] if lines else []  # fmt: skip


def _span(what: str, loads: Iterable[Result], *, places: int = 0) -> str:
    """The least and the most over rounds."""
    least, *_, most = sorted([load[what] for load in loads] * 2)
    low, high = f"{least:.{places}f}", f"{most:.{places}f}"
    return low if low == high else f"{low} to {high}"


def bottleneck(cores: dict[str, float]) -> str:
    """What holds a style back, from how busy its processes were."""
    name, most = max(cores.items(), key=lambda item: item[1])
    total, there = sum(cores.values()), os.cpu_count() or 1
    if most >= BUSY and name != BROKER:
        return f"CPU of {name}: a process of Python has one core"
    if total >= BUSY * there:
        return f"CPU of the machine: {total:.2f} of {there} cores, most of it {name}"
    return f"no process is full ({name} {most:.2f} of a core, {total:.2f} of {there} in all): waiting, or other programs"


def growth(done: Iterable[Done]) -> list[Section]:
    """Slopes."""
    points: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for trial in done:
        key = (trial.result["over"], trial.result["contender"])
        points.setdefault(key, []).extend((trial.round, x, y) for x, y in trial.result["points"])
    lines, estimates = [], {}
    for (over, contender), of in sorted(points.items()):
        means = {x: float(np.mean([y for _, a, y in of if a == x])) for x in sorted({x for _, x, _ in of})}  # fmt: skip
        fitted = [point for point in of if point[1] >= SHARED_FROM.get(over, 0)]
        xs = [x for _, x, _ in fitted]
        if over == PAYLOAD:
            found = slope(fitted, logs=False)
            per_kib = Estimate(*(None if x is None else 1000 * x for x in (found.value, found.low, found.high)))  # type: ignore[arg-type]  # fmt: skip
            cells = (
                f"{per_kib.told(0)} µs per KiB and saga",
                "",
                "grows" if (found.low or 0) > 0 else "not clear",
            )
        else:
            found = slope(fitted, logs=True)
            span = float(np.log(max(xs) / min(xs)))
            ends = Estimate(*(None if x is None else x * span for x in (found.value, found.low, found.high))).exp()  # type: ignore[arg-type]  # fmt: skip
            cells = (f"{found.told(2)} power", ends.told(2), _growing(ends))
        estimates[f"{contender}, {over}"] = found
        told_means = ", ".join(f"{x:g}: {y:.2f}" if y >= 0.1 else f"{x:g}: {y:.3f}" for x, y in means.items())  # fmt: skip
        lines.append((over, contender, *cells, told_means))
    return [
        Section(
            title="Growth of the cost",
            columns=("over", "contender", "slope", "end to end", "reading", "CPU ms per saga, or per transition"),
            lines=lines,
            reading="CPU of all processes, the client's included. A power of 0 is flat, of 1 proportional; end to end: the cost at the largest, by that at the least, as fitted. In flight the"
            " fit begins at 16: with fewer, each turn of the loop serves few. Payload: a straight line. Intervals (95 %) draw whole rounds; flat: within 20 % end to end.",
            estimates=estimates,
        )
    ] if lines else []  # fmt: skip


def _growing(ends: Estimate) -> str:
    if ends.low is None or ends.high is None:
        return "too few rounds"
    if ends.low >= 1 / (1 + FLAT) and ends.high <= 1 + FLAT:
        return "flat"
    if ends.high < 1:
        return "falls"
    if ends.low > 1:
        return "grows"
    return "not clear"


def counts(done: Iterable[Done]) -> list[Section]:
    """Platform-free counts."""
    styles: dict[str, Any] = {trial.result["style"]: trial.result["paths"] for trial in done}
    if not styles:
        return []
    first = next(iter(styles.values()))
    lines = [
        (PATHS[path], what, *(_range(paths[path][what]) for paths in styles.values()))
        for path, of in first.items()
        for what in of
    ]
    return [
        Section(
            title="What one saga needs on any platform",
            columns=("saga", "what", *styles),
            lines=lines,
            reading="Counted from the evidence of a run without technical faults; no time is in it. The choreography's broker keeps each message once per queue and once in"
            " the audit, the conductor an event for everything that it does. Bytes are bodies, without headers and protocols.",
        )
    ]  # fmt: skip


def _range(counted: list[int]) -> str:
    least, most = counted
    return str(least) if least == most else f"{least} to {most}"
