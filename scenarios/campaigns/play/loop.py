"""The simulation's loop with a player in it: time stands still until the player lets it pass."""

import asyncio

from scenarios.campaigns.simulation.loop import SimulatedLoop


class PlayedLoop(SimulatedLoop):
    """What is ready runs first come, first served; the order that matters is the player's."""

    def __init__(self, *, limit_s: float) -> None:
        super().__init__(None, limit_s=limit_s)
        self._player: asyncio.Future[None] | None = None
        self._passes = False

    async def still(self) -> None:
        """Return when nothing can happen at this instant any more."""
        self._player = self.create_future()
        await self._player

    async def tick(self) -> None:
        """Let time pass until the next timer, and return when nothing can happen at that instant any more."""
        self._passes = True
        await self.still()

    def _wait(self) -> None:
        if self._passes:
            self._passes = False
            super()._wait()
        elif self._player is not None:
            player, self._player = self._player, None
            player.set_result(None)
        else:
            super()._wait()
