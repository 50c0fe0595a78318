"""Who may know what: sagas are named in their folders, styles in theirs, and nothing is registered behind anybody's back."""

import ast
import re
from pathlib import Path

import pytest

from kernel.loading import load_saga
from scenarios.styles.index import STYLES

ROOT = Path(__file__).parents[2]
MACHINERY = ("kernel", "choreography", "orchestration", "scenarios", "bench", "report", "testbed")
SAGAS = [path.parent.name for path in sorted((ROOT / "shared_domain").glob("*/saga.py"))]
STYLES_OWN = ("choreography/", "orchestration/", "scenarios/styles/")
PEERS = "bench/peers/"
"""What people would use instead of ours is written for the order saga alone."""
GENERIC = {"order"}
"""A participant's name that is also the machinery's word for what a customer asks for."""
NEW = ROOT / "testbed" / "new_saga"
"""A saga's folder, though it lies in a room of the machinery: what `saga new` copies."""
MODULES = [
    p
    for room in MACHINERY
    for p in sorted((ROOT / room).rglob("*.py"))
    if not p.is_relative_to(NEW)
]
BETWEEN_TWO = ("report/decision/", "testbed/decide_docs.py")
"""The framework that `saga decide` follows decides between these two."""


def _words(tree):
    """Every identifier and every text of a module."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
                yield word
            case ast.Constant(value=str(word)):
                yield word


def names_a_saga(source, saga):
    """The messages and participants of a saga that a module names."""
    messages = re.compile(rf"\b({'|'.join(saga.codec.kinds)})\b")
    services = {service for service in saga.services if service not in GENERIC}
    words = list(_words(ast.parse(source)))
    return {name for word in words for name in messages.findall(word)} | services & set(words)


def names_a_style(source):
    """The styles that a module compares with, or keeps in a table of its own."""
    docs = {ast.get_docstring(ast.parse(source), clean=False)}
    return {word for word in _words(ast.parse(source)) if word in STYLES and word not in docs} & {
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)
    }


def empty_registries(source):
    """Names on module level that begin as an empty collection: somebody else fills them."""
    found = []
    for node in ast.parse(source).body:
        value = getattr(node, "value", None)
        empty = (
            (isinstance(value, ast.Dict) and not value.keys)
            or (isinstance(value, ast.List | ast.Set) and not value.elts)
            or (
                isinstance(value, ast.Call)
                and getattr(value.func, "id", "") in ("dict", "list", "set", "defaultdict")
                and not value.args and not value.keywords
            )
        )  # fmt: skip
        if isinstance(node, ast.Assign | ast.AnnAssign) and empty:
            found.append(ast.unparse(node))
    return found


def _where(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", SAGAS)
def test_no_module_of_the_machinery_names_a_message_or_participant_of_a_saga(name):
    saga = load_saga(name)
    found = {
        _where(path): named
        for path in MODULES
        if not _where(path).startswith(PEERS) and (named := names_a_saga(path.read_text(), saga))
    }
    assert found == {}


def test_no_module_outside_a_styles_own_names_a_style():
    found = {
        _where(path): named
        for path in MODULES
        if not _where(path).startswith((*STYLES_OWN, *BETWEEN_TWO))
        and (named := names_a_style(path.read_text()))
    }
    # These two list our packages.
    packages = {"choreography", "orchestration"}
    assert found == {"bench/profile.py": packages, "testbed/rooms.py": packages}


def test_nothing_is_registered_on_module_level():
    sagas = [
        p for room in ("shared_domain", "exhibits") for p in sorted((ROOT / room).rglob("*.py"))
    ]
    folders = [*MODULES, *sagas]
    assert {_where(p): f for p in folders if (f := empty_registries(p.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "def pay(name):\n    return name == 'ChargePayment'",
        "from shared_domain.order.messages import RefundPayment",
        "TABLE = {'payment': 1}",
        "def f():\n    '''Undo a ReserveStock.'''",
        "x = messages.OrderExpired",
    ],
)
def test_a_module_that_names_the_order_saga_is_seen(source):
    assert names_a_saga(source, load_saga("order"))


@pytest.mark.parametrize(
    "source",
    ["def f(style):\n    return style == 'choreography'", "LOOK = {'orchestration': 'blue'}"],
)
def test_a_module_that_names_a_style_is_seen(source):
    assert names_a_style(source)


@pytest.mark.parametrize("source", ["KINDS = {}", "KNOWN: list[str] = []", "SEEN = set()"])
def test_a_registry_is_seen(source):
    assert empty_registries(source)
