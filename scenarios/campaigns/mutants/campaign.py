"""A table of mutants: which ones, how long each is looked for, and the results as they come, so that it can be resumed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kernel.errors import UsageError, nearest
from kernel.loading import load_saga
from kernel.saga import Saga
from scenarios.campaigns.mutants.equivalent import equivalents_of
from scenarios.campaigns.mutants.hunt import INVALID, KILLED, SURVIVED, Hunted, hunt_mutants
from scenarios.campaigns.mutants.index import OPERATORS, chosen, mutants_of, sampled
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.runs.backends import which_options
from scenarios.runs.folder import SCHEMA, read_json, read_lines
from scenarios.styles.index import STYLES

SETTINGS, RESULTS = "mutants.json", "mutants.jsonl"
EQUIVALENT = "equivalent"
GOAL_RATIO = 0.97
"""Of those that are not equivalent so many must be killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What decides the table. `runs`: most schedules for each mutant in each style. `sample`: so many mutants, drawn by the seed; 0 = all."""

    saga: str
    runs: int
    seed: int
    styles: list[str]
    operators: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    sample: int = 0

    def mutants(self) -> list[Mutant]:
        """Those of the table."""
        every = list(mutants_of(self.saga).values())
        some = chosen(every, operators=self.operators, modules=self.modules)
        return sampled(some, self.sample, seed=self.seed)

    def wanted(self) -> list[tuple[Mutant, str]]:
        """Each mutant with every style that it can affect."""
        return [(m, s) for m in self.mutants() for s in m.styles if s in self.styles]

    def command(self) -> str:
        """What makes the same table again."""
        parts = [f"saga check-oracle --mutants --mutants-runs {self.runs} --seed {self.seed}"]
        parts += [f"--operator {name}" for name in self.operators]
        parts += [f"--module {name}" for name in self.modules]
        if self.sample:
            parts.append(f"--sample {self.sample}")
        return " ".join(parts + which_options(self.styles, self.saga))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: a mutant in a style. `outcome`: that of the hunt, or EQUIVALENT with the reason in `why`."""

    mutant: str
    room: str
    operator: str
    change: str
    style: str
    outcome: str
    schedules: int
    rules: tuple[str, ...]
    faults: int | None
    crashed: bool
    reached: bool | None
    why: str
    contradicted: bool = False
    """Whether it is listed as equivalent and was killed all the same."""


def check_names(saga: Saga, operators: Sequence[str], modules: Sequence[str]) -> None:
    """Raise UsageError that names the valid ones if an operator or module is unknown."""
    every = mutants_of(saga.address).values()
    known = dict.fromkeys(name for m in every for name in (m.module, m.room))
    for what, names, valid in (("operator", operators, OPERATORS), ("module", modules, known)):
        for name in names:
            if name not in valid:
                raise UsageError(
                    f"unknown {what} {name!r}{nearest(name, valid)}: use one of {', '.join(valid)}"
                )


def run_campaign(campaign: Campaign, folder: Path, *, done: Callable[[Hunted], None]) -> None:
    """Hunt what has no result in `folder` yet; `done` is called with each new one."""
    known = {(one.mutant, one.style) for one in results(folder)}
    left = [(m, s) for m, s in campaign.wanted() if (m.address, s) not in known]
    with (folder / RESULTS).open("a", encoding="utf-8") as file:
        for one in hunt_mutants(campaign.saga, left, runs=campaign.runs, seed=campaign.seed):
            file.write(json.dumps(asdict(one)) + "\n")
            file.flush()
            done(one)


def results(folder: Path) -> list[Hunted]:
    """What is known so far. A line cut off by a kill is left out."""
    path = folder / RESULTS
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    lines = read_lines(path)
    for line in lines:
        line["rules"] = tuple(line["rules"])
    return [Hunted(**line) for line in lines]


def table(folder: Path) -> list[Row]:
    """The results of a folder in the order of the mutants, with those that are equivalent named so."""
    campaign = campaign_of(folder)
    mutants = mutants_of(campaign.saga)
    equivalent = equivalents_of(load_saga(campaign.saga), mutants)
    order = {address: place for place, address in enumerate(mutants)}
    rows = []
    for one in results(folder):
        mutant = mutants.get(one.mutant)
        if mutant is None:
            raise UsageError(f"{folder}: {one.mutant} is not there any more: make the table again")
        reasons = [e.reason for e in equivalent.get(one.mutant, ()) if e.covers(one.style)]
        rows.append(_row(mutant, one, reasons))
    return sorted(rows, key=lambda row: (order[row.mutant], row.style))


def _row(mutant: Mutant, one: Hunted, reasons: list[str]) -> Row:
    same = bool(reasons) and one.outcome == SURVIVED
    return Row(
        mutant=one.mutant,
        room=mutant.room,
        operator=mutant.operator,
        change=mutant.change,
        style=one.style,
        outcome=EQUIVALENT if same else one.outcome,
        schedules=one.schedules,
        rules=one.rules,
        faults=one.faults,
        crashed=one.crashed,
        reached=one.reached,
        why=reasons[0] if same else one.why,
        contradicted=bool(reasons) and one.outcome == KILLED,
    )


def begin(folder: Path, campaign: Campaign) -> None:
    """Note what the table is of. Raise UsageError if the folder holds another one."""
    path = folder / SETTINGS
    mine = {"schema": SCHEMA, **asdict(campaign)}
    if path.exists():
        theirs = read_json(path)
        if wrong := sorted(k for k in mine if mine[k] != theirs.get(k)):
            raise UsageError(
                f"{folder} holds a table with another {', '.join(wrong)}: resume it with the same options, or leave --resume out"
            )
        return
    begun = {"begun": datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps(mine | begun, indent=1) + "\n", encoding="utf-8")


def campaign_of(folder: Path) -> Campaign:
    """What the table in a folder is of."""
    settings: dict[str, Any] = read_json(folder / SETTINGS)
    return Campaign(**{k: v for k, v in settings.items() if k not in ("schema", "begun")})


def date_of(folder: Path) -> str:
    """The day on which it was begun."""
    return str(read_json(folder / SETTINGS)["begun"])


def ratio(rows: Sequence[Row]) -> tuple[int, int]:
    """(killed, all that are neither equivalent nor invalid)."""
    counted = [row for row in rows if row.outcome not in (EQUIVALENT, INVALID)]
    return sum(row.outcome == KILLED for row in counted), len(counted)


def styles_of(rows: Sequence[Row]) -> list[str]:
    """The styles of a table, in their usual order."""
    return [style for style in STYLES if any(row.style == style for row in rows)]
