"""Every scenario of a saga, by name: those that any saga has, and its own."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from inspect import cleandoc
from types import ModuleType

from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import home_of, load_part
from kernel.saga import Saga
from scenarios.catalog import any_ending, happy_path
from scenarios.runs.scenario import Scenario


def by_name(modules: Iterable[ModuleType]) -> dict[str, Scenario]:
    """The SCENARIO of each module by name, with the module's docstring as its description."""
    return {
        module.SCENARIO.name: replace(module.SCENARIO, description=cleandoc(module.__doc__ or ""))
        for module in modules
    }


def scenarios_of(saga: Saga) -> dict[str, Scenario]:
    """Name -> scenario: `scenarios/index.py` of the saga's folder, if there is one, after what every saga has."""
    return _scenarios(saga.address)


def headline_of(saga: Saga) -> list[tuple[Scenario, Guards]]:
    """The arms of its demo: HEADLINE in `scenarios/index.py` (scenario -> the safeguards of each of its arms), or the happy path.

    Raise UsageError if HEADLINE names a scenario that there is not.
    """
    known = scenarios_of(saga)
    arms: dict[str, tuple[str, ...]] = {happy_path.SCENARIO.name: ("all",)}
    if find_spec(f"{home_of(saga.address)}.scenarios"):
        arms = load_part(saga.address, "scenarios.index", "HEADLINE", dict)
    if unknown := [name for name in arms if name not in known]:
        raise UsageError(
            f"HEADLINE of the {saga.name} saga names {unknown[0]!r}: scenarios are {', '.join(known)}"
        )
    return [(known[name], Guards.parse(text)) for name, texts in arms.items() for text in texts]


@cache
def _scenarios(address: str) -> dict[str, Scenario]:
    found = by_name((happy_path, any_ending))
    if find_spec(f"{home_of(address)}.scenarios"):
        found |= load_part(address, "scenarios.index", "SCENARIOS", dict)
    return found
