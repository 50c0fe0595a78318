"""The run types of the published repository under their own names, and what breaks its cancels."""

from collections.abc import Sequence

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, COMPENSATED, PARKED, Scenario, every

RUN_TYPES = {
    "failHotelReservation": "ReserveHotel",
    "failFlightsReservation": "ReserveFlight",
    "failPayment": "TakePayment",
    "failHotelConfirmation": "ConfirmHotel",
    "failFlightsConfirmation": "ConfirmFlight",
}
"""Run type -> the step that is refused."""
FAILING_RATIO = 0.4
"""The share of attempts at which a published cancel throws."""
CHAIN = ("ReturnPayment", "CancelFlight", "CancelHotel")


def _refused(step: str) -> Fault:
    return Fault(orders="all", operation=step, moment=Moment.REFUSED)


def _run_type(name: str, step: str) -> Scenario:
    return Scenario(
        name=name,
        description=f"Every trip is refused at {step}: what was reserved before is cancelled, what was paid is returned.",
        faults=lambda n: FaultPlan(faults=(_refused(step),)),
        expects=lambda i: COMPENSATED,
    )


def _failing(name: str, step: str, cancels: Sequence[str]) -> Scenario:
    failing = (
        Fault(
            orders="all",
            operation=cancel,
            moment=Moment.ERROR,
            attempts={"share": FAILING_RATIO},
        )
        for cancel in cancels
    )
    plan = FaultPlan(faults=(_refused(step), *failing))
    return Scenario(
        name=name,
        description=f"Every trip is refused at {step}, and {', '.join(cancels)} fail at four attempts of ten.",
        faults=lambda n: plan,
        expects=lambda i: COMPENSATED | PARKED,
    )


def _unheard(name: str, step: str) -> Scenario:
    lost = Fault(orders={"every": 2}, operation=step, moment=Moment.ANSWER_LOST, attempts="all")
    return Scenario(
        name=name,
        description=f"{step} is done at every second trip, and its answer is lost each time it is given.",
        faults=lambda n: FaultPlan(faults=(lost,)),
        expects=every(2, COMPENSATED | COMMITTED),
    )


_ALL = (
    *(_run_type(name, step) for name, step in RUN_TYPES.items()),
    _failing("one_failing_cancel", "ReserveFlight", CHAIN[-1:]),
    _failing("three_failing_cancels", "ConfirmHotel", CHAIN),
    _unheard("hotel_answer_lost", "ReserveHotel"),
    _unheard("flight_answer_lost", "ReserveFlight"),
    _unheard("charge_answer_lost", "TakePayment"),
)
SCENARIOS = {scenario.name: scenario for scenario in _ALL}
HEADLINE = {"failHotelConfirmation": ("all",), "hotel_answer_lost": ("all",)}
