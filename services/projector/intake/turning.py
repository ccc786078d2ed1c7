"""The background job that brings standings to a new day or policy, for one journal."""

import asyncio
from typing import Final

import asyncpg

from services.projector.metrics import ProjectorMetrics
from services.projector.projections.turn import turn_chunk
from services.runtime.clock import Clock, day_of
from services.runtime.logs import get_logger
from services.runtime.pg import POSTGRES_ERRORS

_log = get_logger(__name__)

# How soon after midnight, or after a policy was adopted, it begins.
LOOK_S: Final = 0.5
# Between two chunks, so that the intake gets its turn at the checkpoint.
_BREATH_S: Final = 0.01
_AGAIN_S: Final = 2.0


class Turning:
    """Turns chunk after chunk while there is anything to turn. Any number of replicas may."""

    def __init__(
        self, journal: str, pool: asyncpg.Pool, metrics: ProjectorMetrics, clock: Clock
    ) -> None:
        self._journal, self._pool, self._metrics, self._clock = journal, pool, metrics, clock

    async def run(self) -> None:
        """For ever; ends only by cancellation."""
        while True:
            delay_s = await self._once()
            await asyncio.sleep(delay_s)

    async def _once(self) -> float:
        """One chunk; how long to wait for the next."""
        try:
            async with self._pool.acquire() as conn:
                today = day_of(self._clock.now_us())
                turned = await turn_chunk(conn, self._journal, today=today)
        except POSTGRES_ERRORS as error:
            _log.warning("turn waits", journal=self._journal, exc_info=error)
            return _AGAIN_S
        if turned is None:
            return LOOK_S
        self._metrics.turned(self._journal, turned.rows)
        if turned.built:
            _log.info("standings are built", journal=self._journal, tenant=turned.tenant)
        return _BREATH_S
