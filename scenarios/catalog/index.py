"""Every scenario of a saga, by name: those that any saga has, and its own."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from inspect import cleandoc
from types import ModuleType

from kernel.loading import load_part, package_of
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


def headline_of(saga: Saga) -> list[Scenario]:
    """The scenarios of its demo: HEADLINE in `scenarios/index.py`, or all that say how they end."""
    known = scenarios_of(saga)
    if find_spec(f"{package_of(saga.address)}.scenarios"):
        return [
            known[name] for name in load_part(saga.address, "scenarios.index", "HEADLINE", tuple)
        ]
    return [scenario for name, scenario in known.items() if name != any_ending.SCENARIO.name]


@cache
def _scenarios(address: str) -> dict[str, Scenario]:
    found = by_name((happy_path, any_ending))
    if find_spec(f"{package_of(address)}.scenarios"):
        found |= load_part(address, "scenarios.index", "SCENARIOS", dict)
    return found
