"""The charge of every fourth order is answered with more than a message may hold: by AWS's documentation a terminal error
that States.ALL does not catch, and in a broker a message that the next service cannot read.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, PARKED, Scenario, every

SCENARIO = Scenario(
    name="oversized_answer",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 4}, operation="ChargePayment", moment=Moment.OVERSIZED_ANSWER),
        )
    ),
    expects=every(4, COMPENSATED | PARKED),
)
