"""Paths, choices, retries and definitions of the embedded engine."""

import json
import random

import pytest

from kernel.guards import Guards
from orchestration.engine import intrinsics, paths, templates
from orchestration.engine.choice import holds
from orchestration.engine.definition import check
from orchestration.engine.errors import ApiError, Ended, StatesError
from orchestration.engine.jsonata_query import JsonataQuery
from orchestration.engine.paths import Scope
from orchestration.engine.query import JsonPath
from orchestration.engine.retry import Retries, catcher, matches
from orchestration.saga_definition import saga_definition
from shared_domain.order.saga import SAGA
from tests.samples import environment


def _scope(**context):
    return Scope({}, lambda: context)


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
    assert paths.read(path, DATA, _scope(Execution={"Name": "e1"})) == value


@pytest.mark.parametrize("path", ["$.x", "$.a.b[9]", "$.a.b.c", "$.n.x", "$$.x"])
def test_a_path_that_finds_nothing_is_an_error_of_the_language(path):
    with pytest.raises(StatesError) as raised:
        paths.read(path, DATA, _scope())
    assert raised.value.error == "States.Runtime"


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
    assert templates.fill(template, DATA, _scope(k="v")) == {
        "x": 10,
        "y": [{"z": "v"}],
        "fixed": 1,
    }


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
    assert holds(rule, {"s": "x", "n": 2, "b": True}, _scope()) is truth


def test_a_choice_without_a_match_takes_the_default_or_fails():
    state = {"Choices": [{"Variable": "$.s", "StringEquals": "y", "Next": "A"}]}
    assert JsonPath().choose(state | {"Default": "B"}, {"s": "x"}, _scope()) == (None, "B")
    with pytest.raises(StatesError, match="does not point to a next state"):
        JsonPath().choose(state, {"s": "x"}, _scope())


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
    assert matches(names, StatesError(error)) is truth


def test_each_retrier_counts_its_own_attempts():
    retries = Retries(
        [
            {"ErrorEquals": ["A"], "MaxAttempts": 1},
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 5, "MaxAttempts": 3},
        ],
        chance=random.Random,
    )  # fmt: skip
    errors = ["B", "A", "B", "B", "B"]
    assert [retries.next_delay_s(StatesError(e)) for e in errors] == [2, 1, 5, 5, None]


def test_what_ends_an_execution_is_neither_retried_nor_caught():
    everything = [{"ErrorEquals": ["States.ALL"], "Next": "X"}]
    assert Retries(everything, chance=random.Random).next_delay_s(Ended("E")) is None
    assert catcher(everything, Ended("E")) is None
    assert catcher(everything, StatesError("E")) == everything[0]


@pytest.mark.parametrize("variant", SAGA.variants)
def test_the_saga_is_a_valid_definition_with_and_without_guards(variant):
    for guards in (Guards.all(), Guards.none()):
        check(json.dumps(saga_definition(environment(variant=variant, guards=guards))))


OK = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "End": True}


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ("{", "INVALID_JSON"),
        ([], "must be a valid JSON object"),
        ({"StartAt": "B", "States": OK["States"]}, "at /StartAt"),
        (OK | {"Versions": 3}, "Field 'Versions' is not supported at /'"),
        ({"StartAt": "A", "States": {"A": {"Type": "Dance"}}}, "Type must be one of"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, "either Next or End"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Z"}}}, "Missing 'Next' target: Z"),
        ({"StartAt": "A", "States": {"A": TASK | {"Resource": "arn:aws:states:::sqs:sendMessageBatch"}}}, "Use a Lambda function's ARN"),
        ({"StartAt": "A", "States": {"A": TASK | {"Items": 1}}}, "Field 'Items' is not supported at /States/A"),
        ({"StartAt": "A", "States": {"A": TASK | {"Parameters": {"x.$": "x"}}}}, "function call at /States/A/Parameters"),
        ({"StartAt": "A", "States": {"A": TASK | {"ResultPath": "$.a[*]"}}}, "Reference Path"),
        ({"StartAt": "A", "States": {"A": TASK | {"Catch": [{"ErrorEquals": ["E"], "Next": "Q"}]}}}, "target: Q"),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": []}}}, "[Choices]"),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": ["x"]}}}, "at /States/A/Choices[0]"),
        ({"StartAt": "A", "States": {"A": TASK | {"TimeoutSeconds": "x"}}}, "at /States/A/TimeoutSeconds"),
        ({"StartAt": "A", "States": {"A": TASK | {"Retry": [{"MaxAttempts": 1}]}}}, "[ErrorEquals] at /States/A/Retry[0]"),
        ({"StartAt": "A", "States": {"A": TASK | {"Catch": ["x"]}}}, "at /States/A/Catch[0]"),
        ({"StartAt": "A", "States": {"A": TASK | {"Retry": [{"ErrorEquals": ["E"], "BackoffRate": "2"}]}}}, "Retry[0]/BackoffRate"),
        ({"StartAt": "A", "States": {"A": {"Type": "Map", "End": True}}}, "at /States/A/Iterator"),
        ({"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": True}}}, "[Branches]"),
        ({"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Pass", "Output": "{% $( %}", "End": True}}}, 'INVALID_JSONATA_EXPRESSION: Expected ")" before end of expression at /States/A/Output'),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}, "MISSING_END_STATE: Workflow has no terminal state at null"),
        ({"StartAt": "A", "States": OK["States"] | {"B": {"Type": "Succeed"}}}, 'MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B'),
        ({"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": [OK], "End": True}}}, "DUPLICATE_STATE_NAME: Duplicate State name: A"),
        ({"StartAt": "A", "States": {"A": TASK | {"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]}}}, "States.ALL must appear alone and at end of list at /States/A/Retry[0]/ErrorEquals[0]"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "OutputPath": "x", "End": True}}}, "Value must be a valid JSONPath. at /States/A/OutputPath"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Output": 1, "End": True}}}, "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A"),
        ({"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Pass", "Output": {"v": "{% phone %}"}, "End": True}}}, "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at /States/A/Output/v"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}], "End": True}}}, "Field 'Catch' is not supported at /States/A"),
        ({"StartAt": "A", "States": {"A": TASK | {"Catch": [{"ErrorEquals": ["E"], "Next": "A", "Output": 1}]}}}, "'JSONata' QueryLanguage at /States/A/Catch[0]"),
        ({"StartAt": "A", "States": {"A": 1, "B": {"Type": "Pass", "X": 1, "End": True}}}, "Field 'X' is not supported at /States/B"),
        ({"StartAt": "A", "States": {"A": TASK | {"TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t"}}}, "There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath] at /States/A"),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"And": [], "Odd": 1, "Next": "A"}]}}}, "Field 'Odd' is not supported at /States/A/Choices[0]"),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": "1", "Next": "A"}]}}}, "Expected value of type Number at /States/A/Choices[0]/NumericEquals"),
        (OK | {"TimeoutSeconds": "soon"}, "Expected value of type Integer at /TimeoutSeconds"),
        ({"StartAt": [], "States": OK["States"]}, "Expected value of type String at /StartAt"),
        ({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": -1, "End": True}}}, "Minimum value is 0 at /States/A/Seconds"),
        ({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "SecondsPath": "$.x", "End": True}}}, "There should only be one of the following fields: [Seconds, SecondsPath]"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_run_is_refused_with_the_place_of_the_fault(definition, fault):
    text = definition if isinstance(definition, str) else json.dumps(definition)
    with pytest.raises(ApiError) as raised:
        check(text)
    assert raised.value.code == "InvalidDefinition"
    assert fault in raised.value.message


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("States.Format('{} and {}', $.s, 1)", "x and 1"),
        (r"States.Format('a\\{}', 1)", "a\\1"),
        ("States.Array(1, 'a', $.n, States.Array())", [1, "a", 2, []]),
        ("States.ArrayPartition($.l, 2)", [[1, 2], [3]]),
        ("States.ArrayContains($.l, 3)", True),
        ("States.ArrayContains($.l, true)", False),
        ("States.ArrayRange(1, 9, 4)", [1, 5, 9]),
        ("States.ArrayGetItem($.l, 1)", 2),
        ("States.ArrayLength($.l)", 3),
        ("States.ArrayUnique(States.Array(1, 1, '1'))", [1, "1"]),
        ("States.Base64Decode(States.Base64Encode($.s))", "x"),
        ("States.Hash('a', 'SHA-1')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("States.JsonMerge($.o, States.StringToJson('{\"b\":2}'), false)", {"a": 1, "b": 2}),
        ("States.JsonToString($.o)", '{"a":1}'),
        ("States.MathAdd($.n, -1)", 1),
        ("States.MathRandom(5, 6)", 5),
        ("States.StringSplit('a,b;;c', ',;')", ["a", "b", "c"]),
        ("States.ArrayLength($.l[?(@ > 1)])", 2),
        ("States.Array(1.5, null)", [1.5, None]),
        (r"States.Format('\{\} it\'s {}', $.s)", "{} it's x"),
    ],
)
def test_an_intrinsic_function_gives_what_aws_says(call, value):
    data = {"s": "x", "n": 2, "l": [1, 2, 3], "o": {"a": 1}}
    assert templates.compute(call, data, _scope(), field="x.$") == value


def test_a_uuid_is_another_one_each_time():
    made = {templates.compute("States.UUID()", {}, _scope(), field="x.$") for _ in range(5)}
    assert len(made) == 5


@pytest.mark.parametrize(
    "call", ["States.Nope()", "States.Array(", "States.Array(1,)", "States.Array(1) 2"]
)
def test_a_call_that_is_none_is_not_valid(call):
    assert not templates.valid(call)


@pytest.mark.parametrize(
    "call", ["States.ArrayGetItem($, 9)", "States.Format('{}')", "States.Hash('a', 'MD4')"]
)
def test_a_call_with_wrong_arguments_is_an_intrinsic_failure(call):
    with pytest.raises(StatesError) as raised:
        templates.compute(call, [1], _scope(), field="x.$")
    assert raised.value.error == "States.IntrinsicFailure"
    assert raised.value.cause.startswith(f"The function '{call}' had the following error: ")


def test_an_argument_that_is_not_there_is_told_as_aws_tells_it():
    with pytest.raises(StatesError) as raised:
        templates.compute("States.Format('{}', $.no)", {"a": 1}, _scope(), field="x.$")
    assert raised.value.error == "States.Runtime"
    assert raised.value.cause == (
        "The function 'States.Format('{}', $.no)' had the following error: The JsonPath argument for the field"
        " '$.no' could not be found in the input '{\"a\":1}'"
    )


def test_every_intrinsic_function_of_the_language_is_there():
    assert len(intrinsics.FUNCTIONS | intrinsics.DRAWN) == 18


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{% $states.input.n + $seen %}", 7),
        ("{% null %}", None),
        ("{% $states.input.nothing %}", None),
        ("{% $partition([1, 2, 3], 2) %}", [[1, 2], [3]]),
        ("{% $parse('{\"a\":1}').a %}", 1),
        ("plain", "plain"),
    ],
)
def test_jsonata_gives_values_and_tells_null_from_nothing(expression, value):
    scope = Scope({"seen": 5}, dict)
    data = {"n": 2, "nothing": None}
    assert JsonataQuery().arguments({"Arguments": expression}, data, scope) == value


def test_a_jsonata_expression_that_gives_nothing_fails_with_its_place():
    with pytest.raises(StatesError) as raised:
        JsonataQuery().arguments({"Arguments": {"a": "{% $nope %}"}}, {}, _scope())
    assert raised.value.location == "Arguments/a"
    assert "returned nothing (undefined)" in raised.value.cause
