"""Builders of events: the common ones in one line, everything else through the protos."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from rapport.events.v1 import common_pb2, touchpoint_pb2
from rapport.ids import new_event_id, person
from rapport.times import timestamp, wire_date
from rapport.v1 import ledger_service_pb2 as ledger


def personal(text: str, about: Sequence[str] = ()) -> common_pb2.PersonalText:
    """A text about people; `about` names others than the event itself does."""
    return common_pb2.PersonalText(text=text, data_subjects=about)


def touchpoint(
    initiator: str,
    counterpart: str,
    kind: str,
    *,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    expected_revision: int | None = None,
    note: str | None = None,
    minutes: int | None = None,
    prep_minutes: int | None = None,
    follow_up_minutes: int | None = None,
    due_on: date | None = None,
    **fields: Any,
) -> ledger.NewEvent:
    """A touchpoint to append.

    initiator, counterpart: `people/{id}` or `{id}`. event_id: absent, a new one; keep it to
    repeat the append. occurred_at: absent, when the ledger records it. expected_revision: what
    the relationship must be at; absent: any. minutes: together; prep and follow-up apart.
    fields: any other field of rapport.events.v1.Touchpoint (`channel`, `sentiment`, `mutual`,
    `severity` …), enums as their numbers or full names.
    """
    what = touchpoint_pb2.Touchpoint(
        initiator=person(initiator), counterpart=person(counterpart), kind=kind, **fields
    )
    if note is not None:
        what.note.text = note
    if minutes is not None:
        what.minutes.live = minutes
    if prep_minutes is not None:
        what.minutes.prep = prep_minutes
    if follow_up_minutes is not None:
        what.minutes.follow_up = follow_up_minutes
    if due_on is not None:
        what.due_on.CopyFrom(wire_date(due_on))
    event = ledger.NewEvent(event_id=event_id or new_event_id(), touchpoint=what)
    if occurred_at is not None:
        event.occurred_at.CopyFrom(timestamp(occurred_at))
    if expected_revision is not None:
        event.expected_revision = expected_revision
    return event


def voided(
    target: str, *, reason: str | None = None, event_id: str | None = None
) -> ledger.NewEvent:
    """Takes the event `target` back; any event but a Voided or a SubjectErased."""
    event = ledger.NewEvent(event_id=event_id or new_event_id())
    event.voided.target = target
    if reason is not None:
        event.voided.reason.text = reason
    return event


def corrected(
    replaces: str,
    what: touchpoint_pb2.Touchpoint,
    *,
    occurred_at: datetime | None = None,
    event_id: str | None = None,
) -> ledger.NewEvent:
    """Replaces the touchpoint `replaces`, between the same two people, by the whole of `what`.

    occurred_at: absent, the original's time. It keeps the original's event id.
    """
    event = ledger.NewEvent(event_id=event_id or new_event_id())
    event.corrected.replaces = replaces
    event.corrected.touchpoint.CopyFrom(what)
    if occurred_at is not None:
        event.corrected.occurred_at.CopyFrom(timestamp(occurred_at))
    return event
