"""Hypothesis strategies: random valid definitions, in which both engines agree on what AWS documents."""

from hypothesis import strategies as st

from tests.differential.definitions import FUNCTION, INVOKE

KEYS = ("a", "b", "c")
NAMES = ("One", "Two", "Three", "Four", "Five")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text("xyz é", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {"a": st.integers(-9, 9), "b": st.text("xyz", max_size=3), "c": st.lists(st.integers(0, 9), max_size=3)}
)  # fmt: skip
"""Inputs. Whatever a generated state reads is there, or its absence fails alike in both."""
PLACES = st.sampled_from(["$", "$.r", "$.deep.er", None])
CALLS = st.sampled_from(
    [
        "States.Format('{}-{}', $.a, $.b)",
        "States.Array($.a, $.b)",
        "States.ArrayLength($.c)",
        "States.MathAdd($.a, 1)",
        "States.JsonToString($.c)",
        "States.ArrayContains($.c, 3)",
        "States.Hash($.b, 'SHA-256')",
        "States.Base64Encode($.b)",
    ]
)
TEMPLATES = st.fixed_dictionaries(
    {"a.$": st.just("$.a"), "b.$": st.sampled_from(["$.b", "States.Format('<{}>', $.b)"]), "c.$": st.just("$.c")},
    optional={"fixed": VALUES, "made.$": CALLS, "all.$": st.just("$")},
)  # fmt: skip
ERRORS = st.sampled_from(["Boom", "Flaky", "States.TaskFailed", "States.ALL", "Other"])
RULES = st.recursive(
    st.one_of(
        st.builds(lambda n: {"Variable": "$.a", "NumericGreaterThan": n}, st.integers(-9, 9)),
        st.builds(lambda n: {"Variable": "$.a", "NumericEquals": n}, st.integers(-2, 2)),
        st.builds(lambda t: {"Variable": "$.b", "StringLessThan": t}, st.text("xyz", max_size=2)),
        st.builds(lambda t: {"Variable": "$.b", "StringMatches": f"{t}*"}, st.text("xyz", max_size=2)),
        st.sampled_from([{"Variable": f"$.{k}", "IsPresent": p} for k in ("a", "no") for p in (True, False)]),
        st.sampled_from([{"Variable": "$.b", kind: True} for kind in ("IsString", "IsNumeric", "IsNull")]),
    ),
    lambda inner: st.one_of(
        st.builds(lambda r: {"Not": r}, inner),
        st.builds(lambda rs: {"And": rs}, st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda rs: {"Or": rs}, st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=4,
)  # fmt: skip


@st.composite
def machines(draw, depth=2, scope=""):
    """A machine whose states lead only forwards, leave none unreached, and keep `a`, `b` and `c` in their output."""
    names = [f"{scope}{name}" for name in NAMES[: draw(st.integers(1, 4))]]
    states = {}
    for position, name in enumerate(names):
        later = names[position + 1 :]
        states[name] = draw(_states(later, depth, f"{name} in "))
    return {"StartAt": names[0], "States": states}


@st.composite
def _states(draw, later, depth, scope):
    kinds = ["Pass", "Task", "Invoke", "Try", "Wait"]
    if not later:
        kinds += ["Succeed", "Fail"]
    if len(later) > 1:
        kinds.append("Choice")
    if depth:
        kinds += ["Parallel", "Map"]
    state = draw(
        {kind: _KINDS[kind] for kind in kinds}[draw(st.sampled_from(kinds))](later, depth, scope)
    )
    if state["Type"] not in ("Succeed", "Fail", "Choice"):
        state |= {"Next": later[0]} if later else {"End": True}
    return state


def _pass(later, depth, scope):
    shaped = st.builds(lambda t: {"Type": "Pass", "Parameters": t}, TEMPLATES)
    placed = st.builds(
        lambda v, p: {"Type": "Pass", "Result": v, "ResultPath": p},
        VALUES,
        PLACES.filter(lambda p: p != "$"),
    )
    return shaped | placed


def _task(later, depth, scope):
    return st.builds(
        lambda p, t: {"Type": "Task", "Resource": FUNCTION + "echo", "ResultPath": p} | t,
        PLACES,
        TEMPLATES.map(lambda t: {"Parameters": t}),
    )


def _invoke(later, depth, scope):
    parameters = {"FunctionName": "echo", "Payload.$": "$"}
    state = {
        "Type": "Task",
        "Resource": INVOKE,
        "Parameters": parameters,
        "ResultSelector": {"got.$": "$.Payload.a"},
    }
    return PLACES.filter(lambda p: p != "$").map(lambda p: state | {"ResultPath": p})


def _try(later, depth, scope):
    """A task that fails, with retriers of no delay worth a name, and catchers if there is anywhere to go."""
    retry = st.lists(
        st.builds(
            lambda e, n: {"ErrorEquals": [e], "MaxAttempts": n, "IntervalSeconds": 1, "BackoffRate": 1.0},
            ERRORS.filter(lambda e: e != "States.ALL"),
            st.integers(0, 1),
        ),
        max_size=1,
    )  # fmt: skip
    catch = st.lists(
        st.builds(
            lambda e, n, p: {"ErrorEquals": [e], "Next": n, "ResultPath": p},
            ERRORS,
            st.sampled_from(later) if later else st.nothing(),
            st.sampled_from(["$.caught", None]),
        ),
        max_size=1,
    )
    return st.builds(
        lambda r, c: (
            {"Type": "Task", "Resource": FUNCTION + "boom"}
            | ({"Retry": r} if r else {})
            | ({"Catch": c} if c else {})
        ),
        retry,
        catch if later else st.just([]),
    )


def _choice(later, depth, scope):
    rules = st.builds(lambda r, n: r | {"Next": n}, RULES, st.sampled_from(later))
    return st.builds(
        lambda rs: {"Type": "Choice", "Choices": rs, "Default": later[0]},
        st.lists(rules, min_size=1, max_size=2),
    )


def _parallel(later, depth, scope):
    """One branch, so that the order of events is given."""
    return machines(depth - 1, scope).map(
        lambda m: {"Type": "Parallel", "Branches": [m], "ResultPath": "$.p"}
    )


def _map(later, depth, scope):
    """One item at a time, for the same reason."""
    selector = {"a.$": "$$.Map.Item.Value", "b.$": "$.b", "c.$": "$.c"}
    return machines(depth - 1, scope).map(
        lambda m: {
            "Type": "Map",
            "ItemsPath": "$.c",
            "ItemSelector": selector,
            "ItemProcessor": m,
            "MaxConcurrency": 1,
            "ResultPath": "$.m",
        }
    )


_KINDS = {
    "Pass": _pass,
    "Task": _task,
    "Invoke": _invoke,
    "Try": _try,
    "Choice": _choice,
    "Parallel": _parallel,
    "Map": _map,
    "Wait": lambda later, depth, scope: st.just({"Type": "Wait", "Seconds": 0}),
    "Succeed": lambda later, depth, scope: st.just({"Type": "Succeed"}),
    "Fail": lambda later, depth, scope: st.just(
        {"Type": "Fail", "Error": "Over", "Cause": "and out"}
    ),
}
