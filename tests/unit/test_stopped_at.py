"""Where an execution with branches stopped: not always where it called last."""

import pytest

from orchestration.timeline import stopped_at

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


class History:
    """Events as GetExecutionHistory has them."""

    def __init__(self):
        self.events = []

    def add(self, kind, previous, **details):
        self.events.append(
            {"id": len(self.events) + 1, "previousEventId": previous, "type": kind, "timestamp": float(len(self.events)), **details}
        )  # fmt: skip
        return len(self.events)

    def call(self, operation, previous):
        entered = self.add(
            "TaskStateEntered", previous, stateEnteredEventDetails={"name": operation}
        )
        return self.add(
            "LambdaFunctionScheduled", entered, lambdaFunctionScheduledEventDetails={"resource": ARN + "x"},
        )  # fmt: skip

    def succeeds(self, previous):
        return self.add(
            "LambdaFunctionSucceeded", previous,
            lambdaFunctionSucceededEventDetails={"output": '{"name": "Done"}'},
        )  # fmt: skip

    def fails(self, previous):
        details = {"error": "E", "cause": "c"}
        return self.add("LambdaFunctionFailed", previous, lambdaFunctionFailedEventDetails=details)


@pytest.mark.parametrize(("failing", "other"), [("Release", "Refund"), ("Refund", "Release")])
def test_the_branch_that_failed_is_named_whichever_was_called_last(failing, other):
    history = History()
    start = history.add("ParallelStateEntered", 0, stateEnteredEventDetails={"name": "Undo"})
    branches = {name: history.call(name, start) for name in ("Release", "Refund")}
    history.succeeds(branches[other])
    history.fails(branches[failing])
    assert stopped_at(history.events) == failing


def test_a_call_that_was_tried_again_and_answered_is_not_where_it_stopped():
    history = History()
    first = history.fails(history.call("Release", 0))
    again = history.add(
        "LambdaFunctionScheduled", first, lambdaFunctionScheduledEventDetails={"resource": ARN + "x"}
    )  # fmt: skip
    history.fails(history.call("Refund", history.succeeds(again)))
    assert stopped_at(history.events) == "Refund"


def test_an_execution_that_called_nobody_stopped_nowhere():
    assert stopped_at([]) == ""


def test_an_execution_that_gives_up_because_of_an_answer_stopped_at_that_call():
    history = History()
    caught = history.fails(history.call("TakeMoney", 0))
    odd = history.succeeds(history.call("VoidPayment", caught))
    history.add("FailStateEntered", odd, stateEnteredEventDetails={"name": "OrderParked"})
    assert stopped_at(history.events) == "VoidPayment"
