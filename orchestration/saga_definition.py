"""A saga's state machine as deployed: the page in its folder, less the guards that are off."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from kernel.environment import Environment
from kernel.pages import tasks_of
from kernel.policy import OnDeadline


def saga_definition(environment: Environment) -> dict[str, Any]:
    """The definition in Amazon States Language for one run, in unscaled seconds: retries and deadlines are the policy's.

    A task that has no Retry on its page gets none: published pages run as they are printed.
    With REPORT the execution itself has the saga deadline: it ends as TIMED_OUT, which nothing can catch. Otherwise the
    step deadlines keep the saga within it, and what they stop is compensated.
    """
    saga, policy, guards = environment.saga, environment.policy, environment.guards
    definition: dict[str, Any] = json.loads(_page(saga.state_machines[environment.variant]))
    for name, state in tasks_of(definition):
        if not policy.retries(compensation=name in saga.undoes, guards=guards):
            state.pop("Retry", None)
        elif "Retry" in state:
            state["Retry"][-1] |= {
                "IntervalSeconds": policy.interval_s,
                "BackoffRate": policy.backoff_rate,
                "MaxDelaySeconds": policy.max_delay_s,
                "MaxAttempts": policy.max_retries,
            }
        if guards.timeouts:
            state["TimeoutSeconds"] = policy.step_deadline_s
        else:
            state.pop("TimeoutSeconds", None)
    if policy.on_deadline == OnDeadline.REPORT and guards.timeouts:
        definition["TimeoutSeconds"] = policy.saga_deadline_s
    return definition


@cache
def _page(path: Path) -> str:
    return path.read_text(encoding="utf-8")
