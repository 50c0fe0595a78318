"""How fast a run goes, in real time: what its time scale makes of waits, deadlines and service times."""

from kernel.policy import Policy
from scenarios.runs.workload import ServiceTimes


def pace(policy: Policy, times: ServiceTimes) -> str:
    """One line: every time that the time scale multiplies, with the product. Customers come in real time."""
    scale = policy.time_scale
    waits = ", ".join(duration(wait_s) for wait_s in policy.delays_s())
    parts = [
        f"retries after {waits}" if waits else "no retries",
        f"step deadline {duration(policy.step_s())}",
        f"saga deadline {duration(policy.saga_s())}",
    ]
    for name, time in times.of.items():
        real = duration(time.median_s * scale)
        spread = "" if time.median_s == time.p99_s else f" (p99 {duration(time.p99_s * scale)})"
        parts.append(f"{name} takes {duration(time.median_s)} x {scale:g} = {real}{spread}")
    return f"Time scale {scale:g}: {'; '.join(parts)}."


def duration(seconds: float) -> str:
    """`140 ms`, `1.2 s`, `2 min`: three digits at most."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"
