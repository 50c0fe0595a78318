"""What a saga costs as more are in flight, as more have been, as payloads grow, and as one execution's history does."""

import json
import time
from collections.abc import Iterable
from pathlib import Path

from bench.closed_loop import check_ledgers, loop
from bench.contenders import (
    CHOREOGRAPHY,
    CONTENDERS,
    INSIDE_CHOREOGRAPHY,
    INSIDE_ORCHESTRATION,
    ORCHESTRATION,
    Place,
)
from bench.experiment import Effort, Lab, Result, Trial
from bench.usage import BROKER, watched
from kernel.clock import SystemClock
from kernel.errors import Failure, UsageError
from orchestration.engine_host import InProcessEngine, running
from orchestration.step_functions import ROLE, direct_call

IN_FLIGHT, HISTORY, PAYLOAD, EXECUTION = "in flight", "sagas done before", "payload KiB", "transitions of one execution"  # fmt: skip
FLIGHTS = (1, 4, 16, 64, 256, 1024)
PAYLOADS_KIB = (0.1, 1.0, 10.0, 50.0, 100.0, 200.0)
STRETCHES, STRETCH = 8, 500
LENGTHS = (1000, 2500, 5000, 10_000)
MANY = 64
_SLEEP_S = 0.005


class Growth:
    """Closed loops over a growing something; the cost is CPU time, which other programs on the machine disturb less than clocks."""

    name = "growth"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        contenders = (
            (CHOREOGRAPHY, ORCHESTRATION) if real else (INSIDE_CHOREOGRAPHY, INSIDE_ORCHESTRATION)
        )
        for number in range(max(3, effort.rounds // 2)):
            for contender in contenders:
                for at_once in FLIGHTS:
                    yield self._trial(number, contender, IN_FLIGHT, at_once, 4.0)
                for size in PAYLOADS_KIB:
                    yield self._trial(number, contender, PAYLOAD, size, 3.0)
                yield self._trial(number, contender, HISTORY, 0, 20.0)
            for length in LENGTHS:
                yield self._trial(number, "the engine", EXECUTION, length, 2.0)

    def _trial(self, number: int, contender: str, over: str, x: float, about_s: float) -> Trial:
        return Trial(
            part=self.name,
            arm=f"{contender}, {over}, {x:g}",
            round=number,
            about_s=about_s,
            settings={"contender": contender, "over": over, "x": x},
        )

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: `points`, each x and CPU in ms per saga (or per transition)."""
        over, x = trial.settings["over"], trial.settings["x"]
        if over == EXECUTION:
            return {**trial.settings, "points": [[x, await _per_transition_ms(folder, int(x))]]}
        contender = CONTENDERS[trial.settings["contender"]]
        at = Place(url=lab.url if contender.rabbit else "", folder=folder, prefix=lab.prefix(), durability=lab.durability)  # fmt: skip
        at_once = int(x) if over == IN_FLIGHT else MANY
        padding = round(x * 1024) if over == PAYLOAD else 0
        orders = {IN_FLIGHT: max(400, 4 * at_once), PAYLOAD: 100, HISTORY: STRETCH}[over]
        points, placed = [], 0
        async with contender.opened(at) as place:
            await loop(place, folder, prefix="w", orders=50, in_flight=10)
            for stretch in range(STRETCHES if over == HISTORY else 1):
                async with watched() as used:
                    await loop(place, folder, prefix=f"s{stretch}", orders=orders, in_flight=at_once, padding=padding)  # fmt: skip
                spent_s = sum(
                    s for name, s in used.cpu_s.items() if contender.rabbit or name != BROKER
                )
                before = 50 + placed + orders / 2
                points.append([before if over == HISTORY else x, 1000 * spent_s / orders])
                placed += orders
        check_ledgers(folder, orders=placed + 50)
        return {**trial.settings, "points": points}


async def _per_transition_ms(folder: Path, transitions: int) -> float:
    """CPU of the interpreter in this process per transition of one long execution: a counter, a choice, and again."""

    async def nobody(resource: str, payload: str) -> str:
        raise UsageError(f"{resource} is not called here: {payload}")

    engine = InProcessEngine(folder, invoke=nobody, clock=SystemClock(), time_scale=1.0, durability="process")  # fmt: skip
    async with running(engine):
        call = direct_call(engine.engine)
        made = {"name": "long", "definition": json.dumps(_counting(transitions)), "roleArn": ROLE}
        machine = (await call("CreateStateMachine", made))["stateMachineArn"]
        began = time.process_time()
        started = {"stateMachineArn": machine, "name": "one", "input": '{"n": 0}'}
        arn = (await call("StartExecution", started))["executionArn"]
        status = "RUNNING"
        while status == "RUNNING":
            await SystemClock().sleep(_SLEEP_S)
            status = (await call("DescribeExecution", {"executionArn": arn}))["status"]
        spent_s = time.process_time() - began
    if status != "SUCCEEDED":
        raise Failure(f"an execution of {transitions} transitions ended {status}")
    return 1000 * spent_s / transitions


def _counting(transitions: int) -> dict[str, object]:
    """A machine that enters two states per round, a Pass and a Choice, until it has entered so many."""
    more = {"Variable": "$.n", "NumericLessThan": transitions // 2, "Next": "Count"}
    return {
        "StartAt": "Count",
        "States": {
            "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
            "More": {"Type": "Choice", "Choices": [more], "Default": "Done"},
            "Done": {"Type": "Succeed"},
        },
    }  # fmt: skip
