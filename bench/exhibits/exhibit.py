"""An exhibit: a published system in its editions, and claims about them, each with what proves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from kernel.ports import Ledgers
from scenarios.campaigns.jobs import Job
from scenarios.judge.verdict import Verdict

DESCRIBED, CORRECTED = "described", "corrected"
EDITIONS = {
    DESCRIBED: "as published, hazards included",
    CORRECTED: "as it should be",
}
"""What every exhibit has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One run of an edition. `folder`: its run folder, "" = it was simulated. `ledgers`: None if it was not."""

    verdict: Verdict
    ledgers: Ledgers | None = None
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a proof found in an edition, in one style ("" = it does not depend on any).

    `shown`: whether it found what it looks for; `clean`: whether it found nothing wrong at all. `found`: that in words.
    `witnesses`: ledger rows, or places in a file. `order_id` and `folder`: the decisive order, and its run if that was kept.
    """

    style: str = ""
    shown: bool
    clean: bool
    found: str
    witnesses: tuple[Mapping[str, Any] | str, ...] = ()
    order_id: str = ""
    folder: str = ""


class Proof(Protocol):
    """What shows that a claim is true of an edition."""

    kind: ClassVar[str]
    """`check`, `run`, `sweep` or `measurement`: the cheapest way to find it comes first."""

    def commands(self, address: str) -> Sequence[str]:
        """What a user types to see it for an edition."""
        ...

    def jobs(self, address: str) -> Sequence[Job]:
        """The runs that it needs."""
        ...

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """What it finds in an edition, style by style. `played`: the runs by the keys of their jobs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence about the described edition, true of it and not of the corrected one.

    `about` CORRECTED: about that edition alone. `twin`: why a style has no counterpart, "" = every style shows it.
    """

    name: str
    says: str
    proofs: tuple[Proof, ...]
    about: str = DESCRIBED
    twin: str = ""

    @property
    def found_by(self) -> str:
        """The cheapest kind of its proofs."""
        return min((proof.kind for proof in self.proofs), key=KINDS.index)


KINDS = ("check", "run", "sweep", "measurement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """`name`: as the command line takes it. `source`: the publication. `correction`: what the corrected edition does otherwise."""

    name: str
    title: str
    source: str
    correction: str
    claims: tuple[Claim, ...]
    editions: Mapping[str, str] = field(default_factory=lambda: dict(EDITIONS))

    @property
    def package(self) -> str:
        """The name of its folder."""
        return self.name.replace("-", "_")

    def address(self, edition: str) -> str:
        """What `--saga` takes."""
        return f"{self.package}.{edition}"
