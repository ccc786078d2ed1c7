"""What stands at the end, read past every proxy and written into the history."""

import base64
import hashlib
from typing import Final

from nats.aio.msg import Msg

from services.operator.parking import list_parked
from services.projector import facts
from services.runtime import streams
from services.runtime.clock import date_from_day
from tests.faults.torture.records import (
    FinalBalance,
    JournalRow,
    ParkedRow,
    StreamInfo,
    StreamRow,
)
from tests.faults.torture.stage import Stage

_FOLDED: Final = frozenset({facts.TOUCHPOINT, facts.CORRECTED, facts.VOIDED})
_ROWS: Final = """
SELECT position, tenant, event_id::text, type, kind, home, revision, occurred_at_us, recorded_at_us,
       payload_sha256, payload
  FROM journal.events WHERE journal = $1 ORDER BY position
"""
_PAIRS: Final = """
SELECT DISTINCT home FROM journal.events
 WHERE journal = $1 AND tenant = $2 AND home LIKE 'relationships/%' ORDER BY home
"""


async def dump(stage: Stage, on_day: int) -> int:
    """Write it all; the number of events."""
    events = 0
    for journal in stage.journals:
        events += await _journal(stage, journal)
        await _stream(stage, journal)
        await _balances(stage, journal, on_day)
        for row in await list_parked(stage.cluster.installation, journal):
            stage.history.write(
                ParkedRow(
                    journal=journal,
                    position=row.position,
                    event_id=row.event_id,
                    reason=row.reason,
                )
            )
    return events


async def _journal(stage: Stage, journal: str) -> int:
    rows = await stage.owner(_ROWS, journal)
    for row in rows:
        payload = base64.b64encode(row["payload"]).decode() if row["type"] in _FOLDED else None
        stage.history.write(
            JournalRow(
                journal=journal,
                position=row["position"],
                tenant=row["tenant"],
                event_id=row["event_id"],
                event_type=row["type"],
                kind=row["kind"],
                home=row["home"],
                revision=row["revision"],
                occurred_at_us=row["occurred_at_us"],
                recorded_at_us=row["recorded_at_us"],
                sha256=row["payload_sha256"].hex(),
                payload_b64=payload,
            )
        )
    return len(rows)


async def _stream(stage: Stage, journal: str) -> None:
    name = streams.stream_name(journal)
    async with stage.nats(admin=False) as client:
        jetstream = client.jetstream(timeout=10)
        state = (await jetstream.stream_info(name)).state
        stage.history.write(
            StreamInfo(
                journal=journal, first_sequence=state.first_seq, last_sequence=state.last_seq
            )
        )
        if state.messages == 0:
            return
        subscription = await jetstream.subscribe(
            streams.journal_subjects(journal), stream=name, ordered_consumer=True
        )
        while True:
            message: Msg = await subscription.next_msg(timeout=20)
            headers = message.headers or {}
            sequence = message.metadata.sequence.stream
            stage.history.write(
                StreamRow(
                    journal=journal,
                    sequence=sequence,
                    position_header=int(headers.get(streams.POSITION, "0")),
                    event_id=headers.get(streams.EVENT_ID, ""),
                    sha256=hashlib.sha256(message.data).hexdigest(),
                )
            )
            if sequence >= state.last_seq:
                return


async def _balances(stage: Stage, journal: str, on_day: int) -> None:
    for tenant in stage.journals[journal]:
        homes = [row["home"] for row in await stage.owner(_PAIRS, journal, tenant)]
        names = [home.removeprefix("relationships/").split("~") for home in homes]
        pairs = [(a, b) for a, b in names if a != "poison"]
        if not pairs:
            continue
        for number, replica in enumerate(stage.cluster.projectors):
            async with stage.direct(tenant, number) as client:
                answer = await client.balances_of(pairs, on=date_from_day(on_day))
            for (a, b), balance in zip(pairs, answer.balances, strict=True):
                stage.history.write(
                    FinalBalance(
                        journal=journal,
                        tenant=tenant,
                        replica=replica.name,
                        a=f"people/{a}",
                        b=f"people/{b}",
                        on_day=on_day,
                        know_mp=balance.know_mp,
                        care_mp=balance.care_mp,
                        buffer_mp=balance.buffer_mp,
                        position=answer.computed.position,
                    )
                )
