"""Waiting for relay and projector to come up to what was in the journal when the doctor came."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

from services.operator.doctor.journal import SQL
from services.runtime import streams

POLL_S: Final = 0.1


async def grown_to(target: int, look: Callable[[], Awaitable[int]], patience_s: float) -> int:
    """Look until the answer is at least `target`, or has not grown for `patience_s`; the last one.

    Ends in any case: what grows comes to the target.
    """
    clock = asyncio.get_running_loop().time
    seen, since_s = await look(), clock()
    while seen < target and clock() - since_s < patience_s:
        await asyncio.sleep(POLL_S)
        now = await look()
        if now > seen:
            since_s = clock()
        seen = now
    return seen


def stream_position(client: Client, journal: str) -> Callable[[], Awaitable[int]]:
    """How to look at the last sequence of a journal's stream; -1 when it cannot be told."""
    jetstream = client.jetstream()

    async def look() -> int:
        try:
            info = await jetstream.stream_info(streams.stream_name(journal))
        except (nats.errors.Error, APIError, OSError):
            return -1
        return int(info.state.last_seq)

    return look


def views_position(conn: asyncpg.Connection, journal: str) -> Callable[[], Awaitable[int]]:
    """How to look at the checkpoint of a journal's read models; -1 before they begin."""

    async def look() -> int:
        row = await conn.fetchrow(SQL["checkpoint"], journal)
        return -1 if row is None else int(row["position"])

    return look


def tenants_built(conn: asyncpg.Connection, journal: str) -> Callable[[], Awaitable[int]]:
    """How to look at how many tenants' standings are not there yet, as a number that grows to 0."""

    async def look() -> int:
        return -int(await conn.fetchval(SQL["unbuilt_tenants"], journal))

    return look
