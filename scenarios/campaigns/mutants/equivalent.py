"""Mutants that nobody could tell from the original, each with the reason: read by a person, kept beside the saga or, of the machinery, here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from kernel.errors import UsageError
from kernel.loading import package_of
from kernel.saga import Saga
from scenarios.campaigns.mutants.mutant import Mutant

FILE = "equivalent_mutants.json"
_HERE = "scenarios.campaigns.mutants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """Why a mutant cannot be killed, in which styles."""

    reason: str
    styles: tuple[str, ...]

    def covers(self, style: str) -> bool:
        """Whether it says anything of this style."""
        return style in self.styles


def equivalents_of(saga: Saga, mutants: Mapping[str, Mutant]) -> dict[str, list[Equivalent]]:
    """Address -> why nobody could tell, for every mutant of the saga that is listed.

    Raise UsageError if one that is listed is not there any more, or is another change now.
    """
    found: dict[str, list[Equivalent]] = {}
    for package in (_HERE, package_of(saga.address)):
        file = resources.files(package) / FILE
        for group in _groups(file):
            for address, change in group["mutants"].items():
                mutant = mutants.get(address)
                if mutant is None or mutant.change != change:
                    now = "is not there any more" if mutant is None else f"is now: {mutant.change}"
                    raise UsageError(f"{file}: {address} {now}; look at it again")
                styles = tuple(group.get("styles", mutant.styles))
                found.setdefault(address, []).append(
                    Equivalent(reason=group["reason"], styles=styles)
                )
    return found


def _groups(file: Traversable) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    groups: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["equivalent"]
    return groups
