"""A stored event as a NATS message: the stored bytes, with its envelope as CloudEvents headers."""

from functools import lru_cache

from services.ledger.domain.events import StoredEvent
from services.runtime import streams
from services.runtime.clock import iso_from_instant
from services.runtime.jetstream import Message

_subject = lru_cache(maxsize=65_536)(streams.event_subject)
# The events of a group were recorded at once.
_recorded_at = lru_cache(maxsize=64)(iso_from_instant)


def message_of(event: StoredEvent, incarnation: str) -> Message:
    """The message of an event. Headers without a value are left out."""
    headers = {
        streams.SPEC_VERSION: "1.0",
        streams.EVENT_ID: event.event_id,
        streams.SOURCE: f"/rapport/journals/{event.journal}",
        streams.TYPE: event.type,
        streams.TIME: iso_from_instant(event.occurred_at_us),
        streams.SUBJECT: event.home,
        streams.CONTENT_TYPE: "application/protobuf",
        streams.TENANT: event.tenant,
        streams.POSITION: str(event.position),
        streams.REVISION: str(event.revision),
        streams.RECORDED_AT: _recorded_at(event.recorded_at_us),
        streams.RECORDED_BY: event.recorded_by,
        streams.SCHEMA_VERSION: str(event.schema_version),
        streams.INCARNATION: incarnation,
    }
    if event.verified:
        headers[streams.VERIFIED] = "true"
    if event.correlation_id:
        headers[streams.CORRELATION_ID] = event.correlation_id
    if event.causation_id:
        headers[streams.CAUSATION_ID] = event.causation_id
    subject = _subject(event.journal, event.tenant, event.type, event.kind)
    return Message(event.position, subject, headers, event.payload)
