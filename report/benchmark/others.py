"""Faults, knees, growth and counts as tables."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.experiment import Done
from bench.intervals import Estimate, clustered, slope
from bench.parts.counts import PATHS
from bench.parts.faults import NOTICED, TIME_SCALE
from bench.parts.growth import PAYLOAD
from report.benchmark.section import Section, by_arm, per_process, quantile_ms, told

FLAT = 0.1
"""A cost that grows by less than this power is called flat."""
BUSY = 0.85
"""A process that keeps so much of a core busy has no more to give: Python uses one core."""


def faults(done: Iterable[Done]) -> list[Section]:
    """Detection and recovery."""
    noticing, recovering, estimates = [], [], {}
    for arm, rounds in sorted(by_arm(done).items(), key=lambda item: item[0].split(", ")[::-1]):
        style, story = arm.split(", ")
        if story in NOTICED:
            n = sum(len(r["noticed_s"]) for r in rounds.values())
            found = quantile_ms(rounds, "noticed_s", 0.5)
            worst = 1000 * max(x for r in rounds.values() for x in r["noticed_s"])
            noticing.append((story, style, f"{n} in {len(rounds)} trials", told(found), f"{worst:.0f}"))  # fmt: skip
            if found:
                estimates[f"{arm}, noticed p50 ms"] = found
        else:
            cells = []
            for what in ("silent_s", "recovered_s"):
                values = [np.asarray([r[what]]) for r in rounds.values()]
                found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), values)
                cells.append(told(found, 2))
                estimates[f"{arm}, {what}"] = found
            concerned = sum(r["concerned"] for r in rounds.values())
            recovering.append((story, style, str(len(rounds)), str(concerned), *cells))
    scaled = f"Waits and deadlines are {TIME_SCALE:g} of the policy's (first retry {1000 * TIME_SCALE:.0f} ms)."
    return [
        Section(
            title="Until a struck saga goes on, ms",
            columns=("story", "style", "struck sagas", "p50", "most"),
            lines=noticing,
            reading=f"From the fault to the saga's next ledger row. {scaled} A broker redelivers at once what was not acknowledged; a conductor"
            " whose call failed waits for its first retry: that is the transport as it is used here, not the style.",
            estimates={k: v for k, v in estimates.items() if "noticed" in k},
        ),
        Section(
            title="Recovery of a struck coordinator, s",
            columns=("story", "style", "trials", "sagas concerned", "no saga moved", "all had ended"),
            lines=recovering,
            reading=f"From the fault on. {scaled} RabbitMQ itself takes about four seconds to start, the engine half a second; 'frozen' and"
            " 'cut_off' last as long as the story says.",
            estimates={k: v for k, v in estimates.items() if "noticed" not in k},
        ),
    ] if noticing or recovering else []  # fmt: skip


def knees(done: Iterable[Done]) -> list[Section]:
    """Where each style stops keeping up, and why."""
    lines, profiles, estimates = [], [], {}
    for style, rounds in sorted(by_arm(done).items()):
        values = [r["knee_per_s"] for r in rounds.values()]
        found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), [np.asarray([v]) for v in values])  # fmt: skip
        estimates[f"{style}, knee per s"] = found
        for result in rounds.values():
            held, over = result["held"], result["steps"][-1]
            lines.append(
                (
                    style,
                    f"{result['knee_per_s']:.0f}",
                    f"{held['sagas']} at {held['offered_per_s']:.0f}/s, {held['censored']} lost",
                    f"{held['latency_ms']['p50']:.0f} / {held['latency_ms']['p99']:.0f}",
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
            title="The knee of each style",
            columns=("style", "knee, sagas/s", "held", "p50 / p99 ms", "cores busy beyond it", "sagas waiting for", "bottleneck"),
            lines=lines,
            reading="The base mix, ramped up by 30 % until fewer than 95 % of the sagas that came in the window ended in it. Then the knee less 10 % was held; "
            "every ledger was checked. Beyond it: at the first rate that was too much. One line per round.",
            estimates=estimates,
        ),
        Section(
            title="What the processes do at the knee",
            columns=("style", "process", "samples, by the package of the innermost frame"),
            lines=profiles,
            reading="py-spy, 100 samples a second over six seconds.",
        ),
    ]  # fmt: skip


def bottleneck(cores: dict[str, float]) -> str:
    """What holds a style back, from how busy its processes were."""
    name, most = max(cores.items(), key=lambda item: item[1])
    if most >= BUSY:
        return f"CPU of {name}: one Python process has one core"
    total = sum(cores.values())
    return f"no process is full ({name} {most:.2f} of a core, {total:.2f} in all): waiting, or other programs"


def growth(done: Iterable[Done]) -> list[Section]:
    """Slopes."""
    points: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for trial in done:
        key = (trial.result["over"], trial.result["way"])
        points.setdefault(key, []).extend((trial.round, x, y) for x, y in trial.result["points"])
    lines, estimates = [], {}
    for (over, way), of in sorted(points.items()):
        linear = over == PAYLOAD
        found = slope(of, logs=not linear)
        estimates[f"{way}, {over}"] = found
        unit = "µs of CPU per KiB and saga" if linear else "power"
        shown = Estimate(found.value * 1000, *(None if x is None else 1000 * x for x in (found.low, found.high))) if linear else found  # fmt: skip
        means = {x: float(np.mean([y for _, a, y in of if a == x])) for x in sorted({x for _, x, _ in of})}  # fmt: skip
        ends = ", ".join(f"{x:g}: {y:.2f}" if y >= 0.1 else f"{x:g}: {y:.3f}" for x, y in means.items())  # fmt: skip
        lines.append((over, way, f"{shown.told(1 if linear else 2)} {unit}", "" if linear else _growing(found), ends))  # fmt: skip
    return [
        Section(
            title="Growth of the cost",
            columns=("over", "way", "slope", "reading", "CPU ms per saga, or per transition"),
            lines=lines,
            reading="CPU of all processes. A power of 0 is flat, of 1 proportional; a power below 0 means that fixed costs are shared. Payload: a straight line."
            " Intervals (95 %) draw whole rounds.",
            estimates=estimates,
        )
    ] if lines else []  # fmt: skip


def _growing(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return "too few rounds"
    if found.high < -FLAT:
        return "falls"
    if found.low > FLAT:
        return "grows"
    return "flat" if found.low >= -FLAT and found.high <= FLAT else "not clear"


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
