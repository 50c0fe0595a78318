"""All mutants of a saga, and the operators that make them."""

import random
from collections.abc import Iterable, Sequence
from functools import cache

from kernel.loading import load_saga
from scenarios.campaigns.mutants import functions, machines, reactions, tables
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.campaigns.mutants.rooms import PARTICIPANTS, rooms_of

OPERATORS = tuple(dict.fromkeys((*functions.OPERATORS, *tables.OPERATORS, *reactions.OPERATORS, *machines.OPERATORS)))  # fmt: skip


@cache
def mutants_of(address: str) -> dict[str, Mutant]:
    """Address -> mutant, in the order of rooms. `address`: see Saga."""
    saga = load_saga(address)
    found: list[Mutant] = []
    for room, module in rooms_of(saga):
        found += functions.mutants_of_functions(room, module)
        if room.name == PARTICIPANTS:
            found += tables.mutants_of_tables(room, module)
    found += reactions.mutants_of_reactions(saga)
    found += machines.mutants_of_machines(saga)
    by_address = {mutant.address: mutant for mutant in found}
    assert len(by_address) == len(found), "two mutants with one address"
    return by_address


def sampled(mutants: Iterable[Mutant], sample: int, *, seed: int) -> list[Mutant]:
    """So many of them, drawn by the seed, in their order; 0 = all."""
    every = list(mutants)
    if not sample or sample >= len(every):
        return every
    chosen = set(random.Random(seed).sample(range(len(every)), sample))
    return [mutant for place, mutant in enumerate(every) if place in chosen]


def chosen(
    mutants: Sequence[Mutant], *, operators: Iterable[str], modules: Iterable[str]
) -> list[Mutant]:
    """Those of these operators and of these modules or rooms; all if none is named."""
    operators, modules = set(operators), set(modules)
    return [
        m
        for m in mutants
        if (not operators or m.operator in operators)
        and (not modules or modules & {m.module, m.room})
    ]
