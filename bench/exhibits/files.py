"""Proofs from the files alone: what `saga check` says, and what is refused before it runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.exhibits.exhibit import Played, Shown
from kernel.errors import UsageError
from kernel.loading import load_saga, read_saga
from scenarios.campaigns.jobs import Job
from scenarios.checks.index import findings_of

ROOT = Path(__file__).parents[2]
MOST_WITNESSES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`saga check` has a finding that this regular expression matches."""

    kind: ClassVar[str] = "check"
    says: str

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [f"saga check {address}"]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: it runs nothing."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        found = [f for f in findings_of(read_saga(address)) if re.search(self.says, f.says)]
        if not found:
            return [Shown(shown=False, clean=True, found="nothing of the kind in its files")]
        places = tuple(below_root(str(finding)) for finding in found)
        return [
            Shown(
                shown=True,
                clean=False,
                found=f"visible in its files; price: {found[0].costs}",
                witnesses=places[:MOST_WITNESSES],
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The files of an edition of their own are refused with a line that this regular expression matches; those of the edition are not."""

    kind: ClassVar[str] = "check"
    edition: str
    says: str
    described: str

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [f"saga check {self._refused(address)}"]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: it runs nothing."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        try:
            load_saga(self._refused(address))
        except UsageError as error:
            line = below_root(str(error))
            if re.search(self.says, line):
                return [
                    Shown(
                        shown=True, clean=False, found="refused before it runs", witnesses=(line,)
                    )
                ]
            return [Shown(shown=False, clean=False, found=line)]
        return [Shown(shown=False, clean=True, found="its files are read")]

    def _refused(self, address: str) -> str:
        exhibit, _, edition = address.partition(".")
        return f"{exhibit}.{self.edition}" if edition == self.described else address


def below_root(text: str) -> str:
    """A text in which a path of this repository does not say where the repository lies."""
    return text.replace(f"{ROOT}/", "")
