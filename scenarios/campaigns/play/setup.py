"""What a game is played with: the saga, the style, the guards, and the orders."""

from dataclasses import dataclass, replace
from typing import Any, Self

from kernel.errors import UsageError, nearest
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.styles.index import STYLES

MOST_ORDERS = 3
MOST_CHOICES = 400
"""Longest game: an order that nothing happens to takes about a dozen choices."""
AT_ONCE_PER_S = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """`refused`: the step at which the first order is refused for a business reason, "" = none. `variant`: "" = the saga's default."""

    style: str
    saga: str = DEFAULT
    guards: str = "all"
    variant: str = ""
    orders: int = 1
    refused: str = ""

    @classmethod
    def from_json(cls, document: Any, *, saga: str) -> Self:
        """The set-up in a JSON object. Raise UsageError with a sentence about the first thing that is wrong."""
        if not isinstance(document, dict):
            raise UsageError("this link has no set-up in it: copy the whole link")
        kinds = {"style": str, "guards": str, "variant": str, "orders": int, "refused": str}
        for name, value in document.items():
            if name not in kinds or type(value) is not kinds[name]:
                raise UsageError(f"the link is damaged at {name!r:.40}: copy the whole link")
        if "style" not in document:
            raise UsageError("the link names no style: copy the whole link")
        setup = cls(saga=saga, **document)
        setup.check()
        return setup

    def check(self) -> None:
        """Raise UsageError naming what there is not."""
        saga = load_saga(self.saga)
        for name, value, known in (
            ("style", self.style, [*STYLES]),
            ("step order", self.variant or saga.variant, [*saga.variants]),
            ("refusal", self.refused, ["", *filter(saga.refusable.__contains__, saga.forward)]),
        ):
            if value not in known:
                raise UsageError(
                    f"there is no {name} {value!r:.60}{nearest(value, known)}: use {', '.join(filter(None, known))}"
                )
        if not 1 <= self.orders <= MOST_ORDERS:
            raise UsageError(
                f"{self.orders} orders are too many or too few: use 1 to {MOST_ORDERS}"
            )
        Guards.parse(self.guards)

    def schedule(
        self, faults: FaultPlan | None = None, delays: FaultPlan | None = None
    ) -> Schedule:
        """The same game as a schedule: with no more than what is ordered, or with what the player did."""
        refusal = Fault(orders=(0,), operation=self.refused, moment=Moment.REFUSED)
        base = FaultPlan(faults=(refusal,) if self.refused else ())
        return Schedule(
            style=self.style,
            saga=self.saga,
            guards=self.guards,
            variant=self.variant,
            orders=self.orders,
            rate_per_s=AT_ONCE_PER_S,
            faults=base + (faults or FaultPlan()),
            delays=delays or FaultPlan(),
        )

    def with_all_guards(self) -> Self:
        """The same with every safeguard on."""
        return replace(self, guards=str(Guards.all()))
