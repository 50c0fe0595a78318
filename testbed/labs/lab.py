"""A lab as its folder describes it: lab.toml, the sheet, the start files, the solution."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import labs
from kernel.errors import UsageError, nearest

LABS = Path(str(labs.__file__)).parent
SHEET, SOLUTION = "README.md", "SOLUTION.md"
SAGA, ANSWERS, OWN = "saga", "answers", "own"
"""What a student edits: parts of the saga in base/, answers to questions, or a whole saga."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One hint. `when`: a regular expression that what fails first has to match for `saga lab check` to give it; "" = any."""

    says: str
    when: str = ""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One lab. `about`: its lab.toml."""

    number: int
    folder: Path
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What stands above its sheet."""
        return str(self.about["title"])

    @property
    def minutes(self) -> int:
        """How long it takes a student."""
        return int(self.about["minutes"])

    @property
    def goal(self) -> str:
        """What a student knows afterwards."""
        return str(self.about["goal"])

    @property
    def kind(self) -> str:
        """SAGA, ANSWERS or OWN."""
        return str(self.about.get("kind", SAGA))

    @property
    def usual_folder(self) -> str:
        """Where a student works by default."""
        return f"lab{self.number}"

    @cached_property
    def hints(self) -> tuple[Hint, ...]:
        """From the gentlest on."""
        return tuple(Hint(**row) for row in self.about["hints"])

    def hint(self, failing: str) -> str:
        """The first hint that fits what fails."""
        return next(hint.says for hint in self.hints if re.search(hint.when, failing))

    def listed(self, key: str) -> tuple[str, ...]:
        """A list of lab.toml; () = not there."""
        return tuple(self.about.get(key, ()))


def every_lab() -> Iterator[Lab]:
    """In the order of their numbers."""
    for path in sorted(LABS.glob("[0-9][0-9]-*/lab.toml")):
        about = tomllib.loads(path.read_text(encoding="utf-8"))
        yield Lab(number=int(path.parent.name[:2]), folder=path.parent, about=about)


def find_lab(wanted: str) -> Lab:
    """The lab of this number or name. Raise UsageError if there is none."""
    found = {name: lab for lab in every_lab() for name in _names(lab)}
    if wanted not in found:
        known = ", ".join(str(lab.number) for lab in every_lab())
        raise UsageError(
            f"there is no lab {wanted!r}{nearest(wanted, found)}: labs are {known} (saga lab list)"
        )
    return found[wanted]


def complete_labs(incomplete: str) -> list[tuple[str, str]]:
    """Numbers and names that begin so, each with its title, for a shell's completion."""
    return [
        (name, lab.title)
        for lab in every_lab()
        for name in (str(lab.number), lab.name[3:])
        if name.startswith(incomplete)
    ]


def _names(lab: Lab) -> tuple[str, ...]:
    return str(lab.number), lab.name[:2], lab.name, lab.name[3:]
