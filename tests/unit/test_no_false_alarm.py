"""Schedules that once raised an alarm about a run in which nothing was wrong."""

from dataclasses import replace

import pytest

from scenarios.campaigns.simulation.finding import finding
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import play
from scenarios.faults.plan import Fault, FaultPlan, Moment


def _fault(operation, moment, **more):
    return Fault(orders=[0], operation=operation, moment=moment, **more)


SCHEDULES = {
    "a step is parked by two chains whose requests never came": Schedule(
        style="choreography",
        faults=FaultPlan(
            faults=(
                _fault("ReserveStock", Moment.REQUEST_DELAYED, for_s=75.0),
                _fault("ReleaseStock", Moment.REQUEST_LOST, attempts="all"),
            )
        ),
    ),
    "a second message comes while the first one hangs": Schedule(
        style="choreography",
        faults=FaultPlan(
            faults=(
                _fault("ChargePayment", Moment.HANG, attempts=(1,)),
                _fault("ReserveStock", Moment.ANSWER_LOST, attempts=(1,)),
            )
        ),
    ),
    "a status is read in the moment in which the engine thaws": Schedule(
        style="orchestration",
        turns=1494637796,
        faults=FaultPlan(
            faults=(_fault("ConfirmOrder", Moment.COORDINATOR_FROZEN, attempts=(1,), for_s=8.0),)
        ),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_alarm_is_raised_where(name):
    for turns in (SCHEDULES[name].turns, *range(25)):
        schedule = replace(SCHEDULES[name], turns=turns)
        assert finding(schedule, play(schedule)) is None
