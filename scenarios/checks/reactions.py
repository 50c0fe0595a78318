"""The page of reactions against the rows, line by line."""

from collections.abc import Iterable, Iterator

from kernel.loading import package_of
from kernel.messages import Message
from kernel.pages import Place, in_reactions
from kernel.reactions import Reaction
from kernel.rows import reactions_by_rows
from kernel.saga import Saga
from scenarios.checks.finding import Finding

Needs = frozenset[frozenset[type[Message]]]
_Does = tuple[str, str]


def reaction_findings(saga: Saga, variant: str) -> Iterator[Finding]:
    """What the page says otherwise than the rows."""
    page, rows = _by_needs(saga.reacting(variant)), _by_needs(reactions_by_rows(saga, variant))
    for needs in sorted(page.keys() | rows.keys(), key=_words):
        found, wanted = page.get(needs, set()), rows.get(needs, set())
        says = _difference(_words(needs), sorted(found - wanted), sorted(wanted - found))
        if says and not found:
            says = f"nobody reacts to {_words(needs)}; the rows say that {_does(wanted)}"
        if says:
            yield Finding(_place(saga, variant, needs), says, _costs(saga, needs))


def _difference(heard: str, extra: list[_Does], missing: list[_Does]) -> str:
    if extra and missing:
        return f"after {heard} {_does(extra)}; the rows say that {_does(missing)}"
    if missing:
        return f"after {heard} nothing else is done; the rows say that {_does(missing)}, too"
    return f"{_does(extra)} after {heard}; the rows know no such reaction" if extra else ""


def _does(reactions: Iterable[_Does]) -> str:
    return " and ".join(f"{service} does {operation}" for service, operation in sorted(reactions))


def _by_needs(reactions: Iterable[Reaction]) -> dict[Needs, set[_Does]]:
    found: dict[Needs, set[_Does]] = {}
    for r in reactions:
        found.setdefault(frozenset(r.needs), set()).add((r.service, r.command.__name__))
    return found


def _words(needs: Needs) -> str:
    sides = (" or ".join(sorted(kind.__name__ for kind in need)) for need in needs)
    return " and ".join(sorted(sides))


def _place(saga: Saga, variant: str, needs: Needs) -> Place:
    name = min(kind.__name__ for need in needs for kind in need)
    return in_reactions(saga, package_of(saga.address), variant, name)


def _costs(saga: Saga, needs: Needs) -> str:
    """What it costs a customer if nobody, or somebody else, reacts to it."""
    names = {kind.__name__ for need in needs for kind in need}
    if names & {step.done.__name__ for step in saga.steps}:
        return "the saga does not go on as it should: what it holds is held until its deadline, or for ever"
    if saga.expired.__name__ in names:
        return "a saga that hangs is not compensated from its far end: what it holds may stay"
    return "what was done before is not undone in its order: a customer may pay for nothing"
