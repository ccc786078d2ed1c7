"""A journal filled by tests that are about what comes after it."""

import hashlib
import uuid

from rapport.events.v1.touchpoint_pb2 import Touchpoint

from services.ledger.domain.events import Batch, NewRecord, Recorded
from services.ledger.journal.store import Journal

TOUCHPOINT = "rapport.events.v1.Touchpoint"


def touchpoint_record(number: int, *, pair: int = 0, kind: str = "call") -> NewRecord:
    """A record whose id and content follow from its number."""
    a, b = f"people/a{pair}", f"people/b{pair}"
    payload = Touchpoint(initiator=a, counterpart=b, kind=kind).SerializeToString(
        deterministic=True
    )
    return NewRecord(
        event_id=str(uuid.UUID(int=number + (4 << 76) + (8 << 60))),
        type=TOUCHPOINT,
        home=f"relationships/a{pair}~b{pair}",
        kind=kind,
        occurred_at_us=1_000_000 * number,
        expected_revision=None,
        correlation_id="",
        causation_id="",
        schema_version=1,
        payload=payload,
        payload_sha256=hashlib.sha256(payload).digest(),
    )


async def fill(
    journal: Journal, count: int, *, first: int = 1, tenant: str = "acme", name: str = "main"
) -> tuple[Recorded, ...]:
    """Append `count` touchpoints numbered from `first`, in batches of 500."""
    await journal.create_tenant(tenant, name)
    recorded: list[Recorded] = []
    for start in range(first, first + count, 500):
        numbers = range(start, min(start + 500, first + count))
        records = tuple(touchpoint_record(number, pair=number % 7) for number in numbers)
        recorded += await journal.append(Batch(name, tenant, "people/tester", False, records))
    return tuple(recorded)
