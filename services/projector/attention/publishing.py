"""The attention log of a journal as a stream: sequence == number, CloudEvents headers.

The body is the `rapport.v1.WatchAttentionResponse` that was stored with the change. Nothing
personal is in headers or subject: ids alone, as for events.
"""

import asyncio
from typing import Any, Final

import asyncpg
from nats.aio.client import Client

from services.projector.projections.statements import SQL
from services.runtime import streams
from services.runtime.clock import US_PER_DAY, iso_from_instant
from services.runtime.jetstream import CHUNK_MESSAGES_MAX, Message, SequencedStream
from services.runtime.publishing import Head

TYPE: Final = "rapport.v1.WatchAttentionResponse"
_POLL_S: Final = 1.0


def attention_stream(client: Client, journal: str, *, replicas: int = 1) -> SequencedStream:
    """The stream of a journal's attention log."""
    return SequencedStream(
        client,
        streams.attention_stream_name(journal),
        subjects=streams.attention_subjects(journal),
        description=f"Rapport attention of journal {journal}: sequence == number",
        replicas=replicas,
    )


class AttentionSource:
    """The attention log of a journal, for a publisher."""

    def __init__(self, pool: asyncpg.Pool, journal: str) -> None:
        self._pool, self._journal = pool, journal
        self._written = asyncio.Event()

    def written(self) -> None:
        """A turn was written: there may be more."""
        self._written.set()

    async def head(self) -> Head:
        """The log's end. A log is given its incarnation before anything of it is published."""
        row = await self._pool.fetchrow(SQL["attention_head"], self._journal)
        if row is None:
            await self._pool.execute(SQL["attention_ensure_journal"], self._journal)
            row = await self._pool.fetchrow(SQL["attention_head"], self._journal)
            assert row is not None, "it was just made, and nobody deletes it"
        return Head(str(row["incarnation"]), row["last_number"])

    async def id_at(self, position: int) -> str | None:
        """The `ce-id` of a number; None beyond the end."""
        item = await self._pool.fetchval(SQL["attention_change"], self._journal, position)
        return None if item is None else change_id(item, position)

    async def read(self, from_position: int, incarnation: str) -> list[Message]:
        """The next chunk."""
        rows = await self._pool.fetch(
            SQL["attention_changes"], self._journal, from_position, CHUNK_MESSAGES_MAX
        )
        return [message_of(row, self._journal, incarnation) for row in rows]

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """The log's end, when a turn was written here or the time is over."""
        self._written.clear()
        head = (await self.head()).position
        if head <= position:
            try:
                # What another replica writes is found by looking, which is not worth a hurry.
                async with asyncio.timeout(max(timeout_s, _POLL_S)):
                    await self._written.wait()
            except TimeoutError:
                pass
            head = (await self.head()).position
        return head


def change_id(item: str, number: int) -> str:
    """The `ce-id` of a change: nobody else's, also after the log was lost and began again."""
    return f"{item}:{number}"


def message_of(row: Any, journal: str, incarnation: str) -> Message:
    """The message of a change, a row of views.attention_log."""
    number = row["number"]
    headers = {
        streams.SPEC_VERSION: "1.0",
        streams.EVENT_ID: change_id(row["item"], number),
        streams.SOURCE: f"/rapport/journals/{journal}/attention",
        streams.TYPE: TYPE,
        streams.TIME: iso_from_instant(row["on_day"] * US_PER_DAY),
        streams.SUBJECT: row["person"],
        streams.CONTENT_TYPE: "application/protobuf",
        streams.TENANT: row["tenant"],
        streams.POSITION: str(number),
        streams.RECORDED_AT: iso_from_instant(row["recorded_at_us"]),
        streams.CHANGE: "raised" if row["raised"] else "cleared",
        streams.INCARNATION: incarnation,
    }
    subject = streams.attention_subject(journal, row["tenant"], row["rule"])
    return Message(number, subject, headers, bytes(row["payload"]))
