"""Makes batches for the journal, and reads all of it back."""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from services.ledger.domain.events import Batch, NewRecord, StoredEvent
from services.ledger.journal.store import Journal

TOUCHPOINT = "rapport.events.v1.Touchpoint"
VOIDED = "rapport.events.v1.Voided"
JOURNAL = "main"
TENANT = "acme"
HOME = "relationships/ann~bob"


def event_id(number: int) -> str:
    """A UUID that only depends on the number."""
    return str(UUID(int=number + 1))


def record(number: int, **changes: Any) -> NewRecord:
    """A valid record; its payload and id depend on the number."""
    payload = changes.pop("payload", f"payload {number}".encode())
    values: dict[str, Any] = {
        "event_id": event_id(number),
        "type": TOUCHPOINT,
        "home": HOME,
        "kind": "meeting.video",
        "occurred_at_us": 1_000_000 * number,
        "expected_revision": None,
        "correlation_id": "",
        "causation_id": "",
        "schema_version": 1,
        "payload": payload,
        "payload_sha256": hashlib.sha256(payload).digest(),
    }
    return NewRecord(**{**values, **changes})


def batch(*records: NewRecord, **changes: Any) -> Batch:
    """A batch of tenant acme in journal main."""
    values: dict[str, Any] = {
        "journal": JOURNAL,
        "tenant": TENANT,
        "recorded_by": "services/tests",
        "verified": False,
        "records": records,
    }
    return Batch(**{**values, **changes})


@asynccontextmanager
async def open_journal(dsn: str, *, tenants: Iterable[str] = (TENANT,)) -> AsyncIterator[Journal]:
    """A started Journal with tenants in journal main; closed at the end."""
    journal = await Journal.connect(dsn)
    try:
        await journal.start()
        for tenant in tenants:
            await journal.create_tenant(tenant, JOURNAL)
        yield journal
    finally:
        await journal.close()


async def all_events(journal: Journal, name: str = JOURNAL) -> list[StoredEvent]:
    """Every event of a journal, in order."""
    return [event async for events, _ in journal.read_journal(name) for event in events]
