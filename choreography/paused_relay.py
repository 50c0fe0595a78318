"""The relay of a saga that supplies its own outbox: there is time to die between a commit and its message."""

from choreography.relay import Relay
from kernel.outbox import Unpublished


class PausedRelay(Relay):
    """Lets an event stay in memory for as long as its outbox says before it is published."""

    async def _publish(self, row: Unpublished) -> None:
        """See Relay."""
        await self._clock.sleep(row.pause_s)
        await super()._publish(row)
