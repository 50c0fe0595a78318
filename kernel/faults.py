"""Named fault points: hooks only, no decisions. Scenarios decide what happens at them."""

from enum import StrEnum

from kernel.messages import Command, Event
from kernel.ports import Clock


class Point(StrEnum):
    """The moments in a participant's work, in the order in which they are reached."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


class NoFaults:
    """The Faults port of a system that nobody disturbs."""

    async def reach(self, point: str, command: Command, answer: Event | None = None) -> None:
        """Do nothing."""

    def touches(self, command: Command) -> bool:
        """Never."""
        return False

    def clock_of(self, service: str, clock: Clock) -> Clock:
        """The right one."""
        return clock
