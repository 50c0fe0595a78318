"""Paths, choices, retries and definitions of the embedded engine."""

import json

import pytest

from orchestration.engine import paths
from orchestration.engine.choice import choose, holds
from orchestration.engine.definition import parse
from orchestration.engine.errors import ApiError, ExecutionFailed, StatesError
from orchestration.engine.retry import Retries, catcher, matches
from orchestration.saga_definition import PAGES, saga_definition
from shared_domain.guards import Guards

DATA = {"a": {"b": [10, 20], "c d": 1}, "n": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DATA),
        ("$.a.b[1]", 20),
        ("$.a['c d']", 1),
        ("$.n", None),
        ("$.a.b[*]", [10, 20]),
        ("$$.Execution.Name", "e1"),
    ],
)
def test_a_path_finds_what_it_names(path, value):
    assert paths.read(path, DATA, {"Execution": {"Name": "e1"}}) == value


@pytest.mark.parametrize("path", ["$.x", "$.a.b[9]", "$.a.b.c", "$.n.x", "$$.x"])
def test_a_path_that_finds_nothing_is_an_error_of_the_language(path):
    with pytest.raises(StatesError) as raised:
        paths.read(path, DATA, {})
    assert raised.value.error == "States.ParameterPathFailure"


def test_a_result_is_put_in_place_without_touching_the_input():
    before = {"a": {"b": 1}}
    assert paths.write("$.a.c", before, 2) == {"a": {"b": 1, "c": 2}}
    assert paths.write("$.x.y", before, 2) == {"a": {"b": 1}, "x": {"y": 2}}
    assert paths.write("$", before, 2) == 2
    assert before == {"a": {"b": 1}}


@pytest.mark.parametrize(("reference", "data"), [("$.a.b.c", {"a": {"b": 1}}), ("$.a", [1])])
def test_a_result_that_cannot_be_put_there_is_an_error_of_the_language(reference, data):
    with pytest.raises(StatesError) as raised:
        paths.write(reference, data, 1)
    assert raised.value.error == "States.ResultPathMatchFailure"


def test_a_template_takes_its_fields_from_input_and_context():
    template = {"x.$": "$.a.b[0]", "y": [{"z.$": "$$.k"}], "fixed": 1}
    assert paths.fill(template, DATA, {"k": "v"}) == {"x": 10, "y": [{"z": "v"}], "fixed": 1}


@pytest.mark.parametrize(
    ("rule", "truth"),
    [
        ({"Variable": "$.s", "StringEquals": "x"}, True),
        ({"Variable": "$.n", "NumericLessThan": 3}, True),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 3}, False),
        ({"Variable": "$.b", "NumericEquals": 1}, False),
        ({"Variable": "$.b", "BooleanEquals": True}, True),
        ({"Variable": "$.gone", "IsPresent": False}, True),
        ({"Variable": "$.s", "IsPresent": True}, True),
        ({"Not": {"Variable": "$.s", "StringEquals": "x"}}, False),
        ({"And": [{"Variable": "$.b", "BooleanEquals": True}, {"Variable": "$.n", "NumericEquals": 2}]}, True),
        ({"Or": [{"Variable": "$.b", "BooleanEquals": False}, {"Variable": "$.n", "NumericEquals": 2}]}, True),
    ],
)  # fmt: skip
def test_a_choice_rule_is_true_or_false_of_the_input(rule, truth):
    assert holds(rule, {"s": "x", "n": 2, "b": True}, {}) is truth


def test_a_choice_without_a_match_takes_the_default_or_fails():
    state = {"Choices": [{"Variable": "$.s", "StringEquals": "y", "Next": "A"}]}
    assert choose(state | {"Default": "B"}, {"s": "x"}, {}) == "B"
    with pytest.raises(StatesError, match="NoChoiceMatched"):
        choose(state, {"s": "x"}, {})


@pytest.mark.parametrize(
    ("names", "error", "truth"),
    [
        (["E"], "E", True),
        (["States.ALL"], "E", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.TaskFailed"], "E", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["F"], "E", False),
    ],
)
def test_an_error_is_matched_as_aws_matches_it(names, error, truth):
    assert matches(names, error) is truth


def test_each_retrier_counts_its_own_attempts():
    retries = Retries(
        [
            {"ErrorEquals": ["A"], "MaxAttempts": 1},
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 5, "MaxAttempts": 3},
        ]
    )  # fmt: skip
    errors = ["B", "A", "B", "B", "B"]
    assert [retries.next_delay_s(StatesError(e)) for e in errors] == [2, 1, 5, 5, None]


def test_a_fail_state_is_neither_retried_nor_caught():
    everything = [{"ErrorEquals": ["States.ALL"], "Next": "X"}]
    assert Retries(everything).next_delay_s(ExecutionFailed("E")) is None
    assert catcher(everything, ExecutionFailed("E")) is None
    assert catcher(everything, StatesError("E")) == everything[0]


@pytest.mark.parametrize("step_order", PAGES)
def test_the_saga_is_a_valid_definition_with_and_without_guards(step_order):
    for guards in (Guards.all(), Guards.none()):
        parse(json.dumps(saga_definition(step_order, guards)))


OK = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "End": True}


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ("{", "INVALID_JSON"),
        ([], "at /"),
        ({"StartAt": "B", "States": OK["States"]}, "at /StartAt"),
        (OK | {"TimeoutSeconds": 3}, "at /TimeoutSeconds"),
        ({"StartAt": "A", "States": {"A": {"Type": "Dance"}}}, "Type must be one of"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, "Next or End"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Z"}}}, "names no state: 'Z'"),
        ({"StartAt": "A", "States": {"A": TASK | {"Resource": "arn:aws:states:::sqs:sendMessage"}}}, "Lambda"),
        ({"StartAt": "A", "States": {"A": TASK | {"HeartbeatSeconds": 1}}}, "HeartbeatSeconds is not supported"),
        ({"StartAt": "A", "States": {"A": TASK | {"Parameters": {"x.$": "x"}}}}, "Parameters.x.$"),
        ({"StartAt": "A", "States": {"A": TASK | {"ResultPath": "$.a[*]"}}}, "reference path"),
        ({"StartAt": "A", "States": {"A": TASK | {"Catch": [{"ErrorEquals": ["E"], "Next": "Q"}]}}}, "'Q'"),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": []}}}, "needs Choices"),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": ["x"]}}}, "list of rules"),
        ({"StartAt": "A", "States": {"A": TASK | {"TimeoutSeconds": "x"}}}, "TimeoutSeconds"),
        ({"StartAt": "A", "States": {"A": TASK | {"Retry": [{"MaxAttempts": 1}]}}}, "Retry[0] needs ErrorEquals"),
        ({"StartAt": "A", "States": {"A": TASK | {"Catch": ["x"]}}}, "Catch[0] needs ErrorEquals"),
        ({"StartAt": "A", "States": {"A": TASK | {"Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "FULL"}]}}}, "JitterStrategy"),
        ({"StartAt": "A", "States": {"A": TASK | {"Retry": [{"ErrorEquals": ["E"], "BackoffRate": "2"}]}}}, "above 0"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_run_is_refused_with_the_place_of_the_fault(definition, fault):
    text = definition if isinstance(definition, str) else json.dumps(definition)
    with pytest.raises(ApiError) as raised:
        parse(text)
    assert raised.value.code == "InvalidDefinition"
    assert fault in raised.value.message
