"""A load that waits for the read models instead of running away from them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import asyncpg
from rapport.v1 import ledger_service_pb2 as pb

from bench.stack import JOURNAL

_POLL_S: Final = 0.01
_CHECKPOINT: Final = "SELECT position FROM views.checkpoints WHERE journal = $1"


async def following(
    batches: Sequence[list[pb.NewEvent]], views_dsn: str, ahead_max: int
) -> AsyncIterator[list[pb.NewEvent]]:
    """Batches, each once the views are at most `ahead_max` behind with it, or level."""
    conn = await asyncpg.connect(views_dsn)
    try:
        begun_at = at = int(await conn.fetchval(_CHECKPOINT, JOURNAL) or 0)
        sent = 0
        for batch in batches:
            while begun_at + sent - at > 0 and begun_at + sent + len(batch) - at > ahead_max:
                await asyncio.sleep(_POLL_S)
                at = int(await conn.fetchval(_CHECKPOINT, JOURNAL) or 0)
            sent += len(batch)
            yield batch
    finally:
        await conn.close()
