"""Definitions by hand, each with an input: what a saga author writes, and the corners of the language."""

import itertools
from dataclasses import dataclass, field
from typing import Any

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"
INVOKE = "arn:aws:states:::lambda:invoke"


@dataclass(frozen=True)
class Case:
    """One definition and its input. `ordered` False: branches run at the same time, so events interleave."""

    name: str
    definition: dict[str, Any]
    document: Any = field(default_factory=dict)
    ordered: bool = True


CASES: list[Case] = []


def case(name, states, document=None, *, ordered=True, **machine):
    """Add a machine that starts at its first state."""
    definition = {"StartAt": next(iter(states)), "States": states, **machine}
    CASES.append(Case(name, definition, {} if document is None else document, ordered))


def end(kind, **fields):
    """A state that is the last one."""
    return {"Type": kind, **fields, "End": True}


def to(following, kind, **fields):
    """A state with a next one."""
    return {"Type": kind, **fields, "Next": following}


def task(name, **fields):
    """The last state: a call of a function."""
    return end("Task", Resource=FUNCTION + name, **fields)


DOC = {
    "a": {"b": [1, 2, 3], "c": "x"},
    "n": 5,
    "s": "text",
    "t": True,
    "z": None,
    "list": [{"k": 1}, {"k": 2}],
}

# ------------------------------------------------------------------ Pass and the data flow
case("pass hands its input on", {"P": end("Pass")}, DOC)
case("pass with a result", {"P": end("Pass", Result={"x": 1})}, DOC)
case("pass with a result that is a text", {"P": end("Pass", Result="x")}, DOC)
case("pass with a result in a place", {"P": end("Pass", Result=1, ResultPath="$.new.deep")}, DOC)
case("pass over a value that is there", {"P": end("Pass", Result=1, ResultPath="$.a.b")}, DOC)
case("pass that drops its result", {"P": end("Pass", Result=1, ResultPath=None)}, DOC)
case("pass with parameters", {"P": end("Pass", Parameters={"got.$": "$.a.b[0]", "fixed": 1})}, DOC)
case("parameters in depth", {"P": end("Pass", Parameters={"o": {"l": [{"v.$": "$.n"}, 2]}})}, DOC)
case("parameters from the whole input", {"P": end("Pass", Parameters={"all.$": "$"})}, DOC)
case("parameters with a wildcard", {"P": end("Pass", Parameters={"ks.$": "$.list[*].k"})}, DOC)
case("parameters with a slice", {"P": end("Pass", Parameters={"v.$": "$.a.b[1:]"})}, DOC)
case("parameters with a filter", {"P": end("Pass", Parameters={"v.$": "$.list[?(@.k==2)]"})}, DOC)
case("parameters with quotes in a path", {"P": end("Pass", Parameters={"v.$": "$['a']['c']"})}, DOC)
case("an input path", {"P": end("Pass", InputPath="$.a")}, DOC)
case("an input path to a value", {"P": end("Pass", InputPath="$.n")}, DOC)
case("no input", {"P": end("Pass", InputPath=None)}, DOC)
case("an output path", {"P": end("Pass", OutputPath="$.a.c")}, DOC)
case("no output", {"P": end("Pass", OutputPath=None)}, DOC)
case("input path and result path", {"P": end("Pass", InputPath="$.a", ResultPath="$.copy")}, DOC)
case(
    "parameters, result path and output path",
    {"P": end("Pass", Parameters={"v.$": "$.n"}, ResultPath="$.r", OutputPath="$.r")},
    DOC,
)
case("an input path that is not there", {"P": end("Pass", InputPath="$.no")}, DOC)
case("an output path that is not there", {"P": end("Pass", OutputPath="$.no.way")}, DOC)
case("parameters that are not there", {"P": end("Pass", Parameters={"v.$": "$.no"})}, DOC)
case("a result path through a text", {"P": end("Pass", Result=1, ResultPath="$.s.x")}, DOC)
case(
    "three in a chain",
    {
        "A": to("B", "Pass", Result={"x": 1}),
        "B": to("C", "Pass", ResultPath="$.b", Result=2),
        "C": end("Pass"),
    },
)
case(
    "null, numbers and texts stay what they are",
    {
        "P": end(
            "Pass",
            Result={
                "n": None,
                "f": 1.5,
                "i": 10,
                "b": False,
                "e": "",
                "u": "\u00e9\u4e2d",
                "l": [],
                "o": {},
            },
        )
    },
)
case("an input that is a list", {"P": end("Pass", Parameters={"first.$": "$[0]"})}, [1, 2])
case("an input that is a number", {"P": end("Pass")}, 7)
case(
    "comments are allowed",
    {"P": end("Pass", Comment="why")},
    DOC,
    Comment="a machine",
    Version="1.0",
)

# ------------------------------------------------------------------ intrinsic functions
CALLS = {
    "format": "States.Format('{} and {}', $.s, $.n)",
    "format without values": "States.Format('plain')",
    "format with an object": "States.Format('{}', $.a)",
    "format with escapes": r"States.Format('\{\} {}', $.s)",
    "string to json": "States.StringToJson($.json)",
    "json to string": "States.JsonToString($.a)",
    "array": "States.Array($.n, 'x', true, null, -2)",
    "empty array": "States.Array()",
    "array partition": "States.ArrayPartition($.a.b, 2)",
    "array contains": "States.ArrayContains($.a.b, 2)",
    "array contains not": "States.ArrayContains($.a.b, 9)",
    "array contains an object": "States.ArrayContains($.list, $.list[0])",
    "array range": "States.ArrayRange(1, 9, 2)",
    "array range down": "States.ArrayRange(5, 1, -2)",
    "array get item": "States.ArrayGetItem($.a.b, 1)",
    "array length": "States.ArrayLength($.a.b)",
    "array unique": "States.ArrayUnique($.twice)",
    "base64 encode": "States.Base64Encode('Data to encode')",
    "base64 decode": "States.Base64Decode('RGF0YSB0byBlbmNvZGU=')",
    "hash": "States.Hash('input', 'SHA-1')",
    "hash 256": "States.Hash($.s, 'SHA-256')",
    "hash md5": "States.Hash($.s, 'MD5')",
    "hash 384": "States.Hash($.s, 'SHA-384')",
    "hash 512": "States.Hash($.s, 'SHA-512')",
    "json merge": "States.JsonMerge($.a, $.other, false)",
    "math add": "States.MathAdd($.n, -3)",
    "string split": "States.StringSplit('1,2,3', ',')",
    "string split by many": "States.StringSplit('a-b+c=d', '-+=')",
    "nested": "States.Format('{}', States.ArrayLength(States.ArrayRange(1, 3, 1)))",
    "nested twice": "States.ArrayGetItem(States.StringSplit(States.Format('{},{}', $.n, $.s), ','), 1)",
    "quotes": r"States.Format('it\'s {}', $.s)",
}
ARGUMENTS = DOC | {
    "json": '{"x":[1]}',
    "twice": [1, 1, "a", "a", None],
    "other": {"c": "y", "d": 1},
}
for _name, _call in CALLS.items():
    case(f"intrinsic: {_name}", {"P": end("Pass", Parameters={"v.$": _call})}, ARGUMENTS)
BROKEN_CALLS = {
    "an item past the end": "States.ArrayGetItem($.a.b, 9)",
    "no number": "States.MathAdd($.s, 1)",
    "no list": "States.ArrayLength($.n)",
    "no json": "States.StringToJson($.s)",
    "no base64": "States.Base64Decode('%%%')",
    "a path that is not there": "States.Format('{}', $.no)",
    "too few values": "States.Format('{} {}', $.s)",
    "a partition of zero": "States.ArrayPartition($.a.b, 0)",
}
for _name, _call in BROKEN_CALLS.items():
    case(f"broken intrinsic: {_name}", {"P": end("Pass", Parameters={"v.$": _call})}, ARGUMENTS)

# ------------------------------------------------------------------ Choice
VALUES = {
    "n": 5,
    "m": 7,
    "f": 5.0,
    "s": "foo",
    "s2": "zoo",
    "t": True,
    "u": False,
    "z": None,
    "at": "2024-01-01T00:00:00Z",
    "later": "2024-06-01T12:00:00+02:00",
    "log": "app-2024.log",
    "star": "a*b",
}
RULES = {
    "StringEquals": ("s", "foo"), "StringLessThan": ("s", "goo"), "StringGreaterThan": ("s", "eoo"),
    "StringLessThanEquals": ("s", "foo"), "StringGreaterThanEquals": ("s", "goo"),
    "StringMatches": ("log", "app-*.log"), "NumericEquals": ("n", 5), "NumericLessThan": ("n", 4),
    "NumericGreaterThan": ("n", 4), "NumericLessThanEquals": ("n", 5), "NumericGreaterThanEquals": ("n", 6),
    "BooleanEquals": ("t", True), "TimestampEquals": ("at", "2024-01-01T00:00:00Z"),
    "TimestampLessThan": ("at", "2024-06-01T00:00:00Z"), "TimestampGreaterThan": ("at", "2024-06-01T00:00:00Z"),
    "TimestampLessThanEquals": ("at", "2024-01-01T00:00:00Z"),
    "TimestampGreaterThanEquals": ("at", "2023-01-01T00:00:00Z"),
    "IsNull": ("z", True), "IsPresent": ("no", False), "IsNumeric": ("n", True), "IsString": ("n", False),
    "IsBoolean": ("t", True), "IsTimestamp": ("at", True),
}  # fmt: skip
PATH_RULES = {
    "StringEqualsPath": ("s", "s2"), "StringLessThanPath": ("s", "s2"), "StringGreaterThanPath": ("s", "s2"),
    "StringLessThanEqualsPath": ("s", "s"), "StringGreaterThanEqualsPath": ("s", "s"),
    "NumericEqualsPath": ("n", "f"), "NumericLessThanPath": ("n", "m"), "NumericGreaterThanPath": ("n", "m"),
    "NumericLessThanEqualsPath": ("n", "m"), "NumericGreaterThanEqualsPath": ("n", "m"),
    "BooleanEqualsPath": ("t", "u"), "TimestampEqualsPath": ("at", "at"), "TimestampLessThanPath": ("at", "later"),
    "TimestampGreaterThanPath": ("at", "later"), "TimestampLessThanEqualsPath": ("at", "later"),
    "TimestampGreaterThanEqualsPath": ("at", "later"),
}  # fmt: skip
YES_NO = {"Yes": end("Pass", Result="yes"), "No": end("Pass", Result="no")}


def choice(name, rule, document=None, *, default="No"):
    """Add a machine that says yes if the rule holds."""
    chosen = {"Type": "Choice", "Choices": [rule | {"Next": "Yes"}]}
    if default:
        chosen["Default"] = default
    states = {"C": chosen, **YES_NO}
    if not default:
        del states["No"]
    case(f"choice: {name}", states, VALUES if document is None else document)


for _operator, (_variable, _value) in RULES.items():
    choice(_operator, {"Variable": f"$.{_variable}", _operator: _value})
for _operator, (_variable, _other) in PATH_RULES.items():
    choice(_operator, {"Variable": f"$.{_variable}", _operator: f"$.{_other}"})
_FIVE = {"Variable": "$.n", "NumericEquals": 5}
_FOO = {"Variable": "$.s", "StringEquals": "foo"}
_WRONG = {"Variable": "$.s", "StringEquals": "bar"}
choice("And", {"And": [_FIVE, _FOO]})
choice("And that fails", {"And": [_FIVE, _WRONG]})
choice("Or", {"Or": [_WRONG, _FOO]})
choice("Not", {"Not": _WRONG})
choice("And in Or in Not", {"Not": {"Or": [_WRONG, {"And": [_FIVE, _WRONG]}]}})
choice("another type is unequal", {"Variable": "$.s", "NumericEquals": 5})
choice("a number that is a text", {"Variable": "$.n", "StringEquals": "5"})
choice("a text that is no time", {"Variable": "$.s", "IsTimestamp": True})
choice("present and null", {"Variable": "$.z", "IsPresent": True})
choice("null is not a text", {"Variable": "$.z", "StringEquals": "x"})
choice("a variable that is not there", {"Variable": "$.no", "StringEquals": "x"})
choice("a path that is not there", {"Variable": "$.s", "StringEqualsPath": "$.no"})
choice(
    "guarded against what is not there",
    {"And": [{"Variable": "$.no", "IsPresent": True}, {"Variable": "$.no", "StringEquals": "x"}]},
)
choice("no rule and no default", _WRONG, default=None)
choice("a star in the middle", {"Variable": "$.s", "StringMatches": "f*o"})
choice("an escaped star", {"Variable": "$.star", "StringMatches": "a\\*b"})
choice("an escaped star that is none", {"Variable": "$.s", "StringMatches": "f\\*o"})
choice("many stars", {"Variable": "$.log", "StringMatches": "*2024*"})
choice("an item of a list", {"Variable": "$.l[1]", "NumericEquals": 2}, {"l": [1, 2]})
case(
    "choice with paths",
    {
        "C": {
            "Type": "Choice",
            "InputPath": "$.in",
            "OutputPath": "$.x",
            "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "Yes"}],
        },
        "Yes": end("Pass"),
    },
    {"in": {"x": 1}},
)
case(
    "the first rule that holds",
    {
        "C": {
            "Type": "Choice",
            "Choices": [_WRONG | {"Next": "No"}, _FIVE | {"Next": "Yes"}, _FOO | {"Next": "No"}],
        },
        **YES_NO,
    },
    VALUES,
)
case(
    "a loop",
    {
        "Count": to("More", "Pass", Parameters={"n.$": "States.MathAdd($.n, 1)"}),
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Count"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
    {"n": 0},
)

# ------------------------------------------------------------------ Wait, Succeed, Fail
case("wait", {"W": end("Wait", Seconds=1)}, DOC)
case("wait for what the input says", {"W": end("Wait", SecondsPath="$.s")}, {"s": 1})
case("wait for nothing", {"W": end("Wait", SecondsPath="$.s")}, {"s": 0})
case("wait until a moment that is past", {"W": end("Wait", Timestamp="2020-01-01T00:00:00Z")})
case("wait until a moment in the input", {"W": end("Wait", TimestampPath="$.at")}, VALUES)
case("wait for no number", {"W": end("Wait", SecondsPath="$.s")}, {"s": "soon"})
case("wait until no moment", {"W": end("Wait", TimestampPath="$.s")}, {"s": "soon"})
case("wait for less than nothing", {"W": end("Wait", SecondsPath="$.s")}, {"s": -1})
case("wait with paths", {"W": end("Wait", Seconds=1, InputPath="$.a", OutputPath="$.c")}, DOC)
case("succeed", {"S": {"Type": "Succeed"}}, DOC)
case("succeed with paths", {"S": {"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}}, DOC)
case("fail", {"F": {"Type": "Fail", "Error": "Custom", "Cause": "because"}}, DOC)
case("fail without a word", {"F": {"Type": "Fail"}}, DOC)
case("fail with an error only", {"F": {"Type": "Fail", "Error": "Custom"}}, DOC)
case("fail with a cause only", {"F": {"Type": "Fail", "Cause": "because"}}, DOC)
case(
    "fail as the input says",
    {"F": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}},
    {"e": "E", "c": "C"},
)
case(
    "fail with a function",
    {
        "F": {
            "Type": "Fail",
            "ErrorPath": "States.Format('E{}', $.e)",
            "CausePath": "States.JsonToString($)",
        }
    },
    {"e": 1},
)

# ------------------------------------------------------------------ Task
case("task", {"T": task("echo")}, DOC)
case("task with parameters", {"T": task("echo", Parameters={"v.$": "$.n"})}, DOC)
case("task with a selector", {"T": task("echo", ResultSelector={"got.$": "$.a.c"})}, DOC)
case(
    "task with a selector in a place",
    {"T": task("echo", ResultSelector={"got.$": "$.n"}, ResultPath="$.r", OutputPath="$.r.got")},
    DOC,
)
case("task that keeps its input", {"T": task("echo", Parameters={"x": 1}, ResultPath=None)}, DOC)
case(
    "two tasks",
    {"A": to("B", "Task", Resource=FUNCTION + "echo", ResultPath="$.one"), "B": task("wrap")},
    {"n": 1},
)
case("task that fails", {"T": task("boom")}, DOC)
case(
    "task that fails and is caught",
    {
        "T": task("boom", Catch=[{"ErrorEquals": ["Boom"], "Next": "C"}]),
        "C": end("Pass", OutputPath="$.Error"),
    },
    DOC,
)
case(
    "caught by States.ALL",
    {
        "T": task("boom", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]),
        "C": end("Pass", OutputPath="$.Error"),
    },
)
case(
    "caught by States.TaskFailed",
    {
        "T": task("boom", Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}]),
        "C": end("Pass", Result=1),
    },
)
case(
    "caught in a place",
    {
        "T": task(
            "boom", Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "C"}]
        ),
        "C": end("Pass", Parameters={"e.$": "$.error.Error", "n.$": "$.n"}),
    },
    DOC,
)
case(
    "caught and dropped",
    {
        "T": task("boom", Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "C"}]),
        "C": end("Pass"),
    },
    DOC,
)
case(
    "not caught",
    {"T": task("boom", Catch=[{"ErrorEquals": ["Other"], "Next": "C"}]), "C": end("Pass")},
)
case(
    "the first catcher that matches",
    {
        "T": task(
            "boom",
            Catch=[
                {"ErrorEquals": ["Other"], "Next": "A"},
                {"ErrorEquals": ["X", "Boom"], "Next": "B"},
                {"ErrorEquals": ["States.ALL"], "Next": "A"},
            ],
        ),
        "A": end("Pass", Result="a"),
        "B": end("Pass", Result="b"),
    },
)
_ONCE = {"IntervalSeconds": 1, "MaxAttempts": 1}
case("retried and failed", {"T": task("boom", Retry=[{"ErrorEquals": ["Boom"], **_ONCE}])})
case(
    "retried and worked",
    {"T": task("flaky", Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}])},
    {"id": "retried"},
)
case("never retried", {"T": task("boom", Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 0}])})
case("retried for another error", {"T": task("boom", Retry=[{"ErrorEquals": ["Other"], **_ONCE}])})
case(
    "retried, then caught",
    {
        "T": task(
            "boom",
            Retry=[{"ErrorEquals": ["States.TaskFailed"], **_ONCE}],
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}],
        ),
        "C": end("Pass", OutputPath="$.Error"),
    },
)
case(
    "two retriers",
    {
        "T": task(
            "boom", Retry=[{"ErrorEquals": ["Other"], **_ONCE}, {"ErrorEquals": ["Boom"], **_ONCE}]
        )
    },
)
case("task that takes too long", {"T": task("slow", TimeoutSeconds=1)})
case(
    "too long, caught",
    {
        "T": task(
            "slow", TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "C"}]
        ),
        "C": end("Pass", OutputPath="$.Error"),
    },
)
case("too long by the input", {"T": task("slow", TimeoutSecondsPath="$.t")}, {"t": 1})
case("task with parameters that are not there", {"T": task("echo", Parameters={"v.$": "$.no"})})
case("task with a selector that is not there", {"T": task("echo", ResultSelector={"v.$": "$.no"})})
case(
    "what is not there is not caught",
    {
        "T": task(
            "echo", Parameters={"v.$": "$.no"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]
        ),
        "C": end("Pass", Result=1),
    },
)
case(
    "what is not there is caught by its name",
    {
        "T": task(
            "echo",
            Parameters={"v.$": "$.no"},
            Catch=[{"ErrorEquals": ["States.ParameterPathFailure", "States.Runtime"], "Next": "C"}],
        ),
        "C": end("Pass", Result=1),
    },
)
case(
    "a result path that does not fit is caught",
    {
        "T": task("echo", ResultPath="$.s.x", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]),
        "C": end("Pass", OutputPath="$.Error"),
    },
    DOC,
)
case(
    "invoke",
    {
        "T": end(
            "Task",
            Resource=INVOKE,
            Parameters={"FunctionName": "echo", "Payload.$": "$"},
            OutputPath="$.Payload",
        )
    },
    DOC,
)
case(
    "invoke with a selector",
    {
        "T": end(
            "Task",
            Resource=INVOKE,
            Parameters={"FunctionName": FUNCTION + "echo", "Payload": {"x": [1]}},
            ResultSelector={"x.$": "$.Payload.x[0]", "status.$": "$.StatusCode"},
        )
    },
)
case(
    "invoke that fails",
    {"T": end("Task", Resource=INVOKE, Parameters={"FunctionName": "boom", "Payload": {}})},
)
case(
    "invoke that fails and is caught",
    {
        "T": end(
            "Task",
            Resource=INVOKE,
            Parameters={"FunctionName": "boom", "Payload": {}},
            Catch=[{"ErrorEquals": ["Boom"], "Next": "C"}],
        ),
        "C": end("Pass", OutputPath="$.Error"),
    },
)
case(
    "a saga that compensates",
    {
        "Reserve": to("Charge", "Task", Resource=FUNCTION + "echo", ResultPath="$.reserved"),
        "Charge": to(
            "Ship",
            "Task",
            Resource=FUNCTION + "boom",
            ResultPath="$.charged",
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "Release"}],
        ),
        "Ship": task("echo"),
        "Release": to("Cancelled", "Task", Resource=FUNCTION + "echo", ResultPath="$.released"),
        "Cancelled": {"Type": "Fail", "Error": "OrderCancelled", "CausePath": "$.why.Error"},
    },
    {"order": 1},
)

# ------------------------------------------------------------------ Parallel and Map


_INNER = itertools.count(1)


def branch(state):
    """A machine of one state, with a name of its own."""
    name = f"In{next(_INNER)}"
    return {"StartAt": name, "States": {name: state}}


case(
    "parallel",
    {"P": end("Parallel", Branches=[branch(end("Pass", Result=n)) for n in (1, 2)])},
    ordered=False,
)
case("parallel of one", {"P": end("Parallel", Branches=[branch(task("echo"))])}, DOC)
case(
    "parallel in a place",
    {
        "P": end(
            "Parallel",
            Branches=[branch(end("Pass", Result=1))],
            ResultPath="$.r",
            OutputPath="$.r[0]",
        )
    },
    DOC,
)
case(
    "parallel with parameters",
    {
        "P": end(
            "Parallel",
            Parameters={"v.$": "$.n"},
            Branches=[branch(end("Pass"))],
            ResultSelector={"first.$": "$[0].v"},
        )
    },
    DOC,
)
case("parallel that fails", {"P": end("Parallel", Branches=[branch(task("boom"))])})
case(
    "parallel that fails and is caught",
    {
        "P": end(
            "Parallel",
            Branches=[branch(task("boom"))],
            Catch=[{"ErrorEquals": ["Boom"], "Next": "C"}],
        ),
        "C": end("Pass", OutputPath="$.Error"),
    },
)
case(
    "parallel that is retried",
    {
        "P": end(
            "Parallel",
            Branches=[branch(task("flaky"))],
            Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}],
        )
    },
    {"id": "parallel"},
)
case(
    "parallel in parallel",
    {
        "P": end(
            "Parallel", Branches=[branch(end("Parallel", Branches=[branch(end("Pass", Result=1))]))]
        )
    },
)
case(
    "parallel with a fail state",
    {"P": end("Parallel", Branches=[branch({"Type": "Fail", "Error": "E", "Cause": "C"})])},
)


def each(state, **fields):
    """A Map, one item at a time."""
    return end(
        "Map",
        ItemProcessor={"ProcessorConfig": {"Mode": "INLINE"}, **branch(state)},
        **{"MaxConcurrency": 1, **fields},
    )


case("map", {"M": each(end("Pass"))}, [1, 2, 3])
case("map over tasks", {"M": each(task("echo"))}, [1, {"x": 2}])
case("map over nothing", {"M": each(end("Pass"))}, [])
case("map over a part", {"M": each(end("Pass"), ItemsPath="$.list")}, DOC)
case(
    "map with a selector",
    {
        "M": each(
            end("Pass"),
            ItemsPath="$.list",
            ItemSelector={"k.$": "$$.Map.Item.Value.k", "i.$": "$$.Map.Item.Index", "n.$": "$.n"},
        )
    },
    DOC,
)
case(
    "map in a place",
    {
        "M": each(
            end("Pass", Result=0),
            ItemsPath="$.a.b",
            ResultPath="$.r",
            ResultSelector={"all.$": "$"},
        )
    },
    DOC,
)
case("map over no list", {"M": each(end("Pass"), ItemsPath="$.n")}, DOC)
case("map over what is not there", {"M": each(end("Pass"), ItemsPath="$.no")}, DOC)
case("map that fails", {"M": each(task("boom"))}, [1, 2])
case(
    "map that fails and is caught",
    {
        "M": each(task("boom"), Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]),
        "C": end("Pass", OutputPath="$.Error"),
    },
    [1],
)
case(
    "map that is retried",
    {"M": each(task("flaky"), Retry=[{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1}])},
    [{"id": "map"}],
)
case(
    "map in the old words",
    {
        "M": end(
            "Map",
            Iterator=branch(end("Pass")),
            Parameters={"v.$": "$$.Map.Item.Value"},
            MaxConcurrency=1,
        )
    },
    [1, 2],
)
case("map in map", {"M": each(each(end("Pass")))}, [[1], [2, 3]])
case("map of parallels", {"M": each(end("Parallel", Branches=[branch(end("Pass"))]))}, [1, 2])
case("map of many at once", {"M": each(end("Pass"), MaxConcurrency=0)}, [1, 2, 3, 4], ordered=False)
case(
    "map with two states",
    {
        "M": end(
            "Map",
            MaxConcurrency=1,
            ItemProcessor={
                "StartAt": "A",
                "States": {
                    "A": to("B", "Pass", ResultPath="$.x", Result=1),
                    "B": {"Type": "Succeed"},
                },
            },
        )
    },
    [{"i": 0}],
)
case(
    "map with a choice",
    {
        "M": end(
            "Map",
            MaxConcurrency=1,
            ItemProcessor={
                "StartAt": "C",
                "States": {
                    "C": {
                        "Type": "Choice",
                        "Choices": [{"Variable": "$", "NumericGreaterThan": 1, "Next": "Big"}],
                        "Default": "Small",
                    },
                    "Big": end("Pass", Result="big"),
                    "Small": end("Pass", Result="small"),
                },
            },
        )
    },
    [1, 2],
)

# ------------------------------------------------------------------ variables and the context object
case(
    "a variable",
    {
        "A": to("B", "Pass", Assign={"x.$": "$.n", "y": 1}),
        "B": end("Pass", Parameters={"v.$": "$x"}),
    },
    DOC,
)
case(
    "a variable that is changed",
    {
        "A": to("B", "Pass", Assign={"x": 1}),
        "B": to("C", "Pass", Assign={"x.$": "States.MathAdd($x, 1)"}),
        "C": end("Pass", Parameters={"v.$": "$x"}),
    },
)
case(
    "a part of a variable",
    {"A": to("B", "Pass", Assign={"x.$": "$.a"}), "B": end("Pass", Parameters={"v.$": "$x.b[1]"})},
    DOC,
)
case(
    "a variable in a choice",
    {
        "A": to("C", "Pass", Assign={"x": "foo"}),
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$x", "StringEquals": "foo", "Next": "Yes"}],
            "Default": "No",
        },
        **YES_NO,
    },
)
case(
    "a variable from a task",
    {
        "T": to("B", "Task", Resource=FUNCTION + "echo", Assign={"x.$": "$.n"}),
        "B": end("Pass", Parameters={"v.$": "$x"}),
    },
    DOC,
)
case(
    "a variable from a catcher",
    {
        "T": task(
            "boom",
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C", "Assign": {"e.$": "$.Error"}}],
        ),
        "C": end("Pass", Parameters={"v.$": "$e"}),
    },
)
case(
    "a variable seen in a branch",
    {
        "A": to("P", "Pass", Assign={"x": 1}),
        "P": end("Parallel", Branches=[branch(end("Pass", Parameters={"v.$": "$x"}))]),
    },
)
case(
    "a variable of a choice rule",
    {
        "C": {
            "Type": "Choice",
            "Choices": [_FIVE | {"Next": "B", "Assign": {"x.$": "$.n"}}],
            "Default": "B",
        },
        "B": end("Pass", Parameters={"v.$": "$x"}),
    },
    VALUES,
)
case("the name of the state", {"P": end("Pass", Parameters={"v.$": "$$.State.Name"})})
case("the name of the execution", {"P": end("Pass", Parameters={"v.$": "$$.Execution.Name"})})
case(
    "the input of the execution",
    {"A": to("P", "Pass", Result=0), "P": end("Pass", Parameters={"v.$": "$$.Execution.Input.n"})},
    DOC,
)
case("input path into the context", {"P": end("Pass", InputPath="$$.Execution.Input")}, DOC)
case("the name of the machine", {"P": end("Pass", Parameters={"v.$": "$$.StateMachine.Name"})})
