"""Builders of events: the common ones in one line, everything else through the protos."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from rapport.events.v1 import common_pb2, people_pb2, practice_pb2, touchpoint_pb2
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


def linked(
    a: str,
    b: str,
    *,
    strong: bool = True,
    evidence: str | None = None,
    event_id: str | None = None,
) -> ledger.NewEvent:
    """Two ids are one human; without `strong` the evidence only proposes it."""
    event = ledger.NewEvent(event_id=event_id or new_event_id())
    link = event.identity_linked
    link.a, link.b = person(a), person(b)
    link.strength = people_pb2.LINK_STRENGTH_STRONG if strong else people_pb2.LINK_STRENGTH_WEAK
    if evidence is not None:
        link.evidence.text = evidence
    return event


def unlinked(ends: str, a: str, b: str, *, event_id: str | None = None) -> ledger.NewEvent:
    """Ends the link with the event id `ends`; a and b are its two ids."""
    event = ledger.NewEvent(event_id=event_id or new_event_id())
    event.identity_unlinked.a, event.identity_unlinked.b = person(a), person(b)
    event.identity_unlinked.ends = ends
    return event


def policy_adopted(policy_json: str, *, event_id: str | None = None) -> ledger.NewEvent:
    """Puts a policy in force from its own `effective_from` on."""
    event = ledger.NewEvent(event_id=event_id or new_event_id())
    event.policy_adopted.policy_json = policy_json
    return event


def watch_list_saved(
    name: str, parties: Sequence[str], *, event_id: str | None = None
) -> ledger.NewEvent:
    """Saves the caller's list of that name in place of the one before; no parties empty it."""
    event = ledger.NewEvent(event_id=event_id or new_event_id())
    event.watch_list_saved.list = name
    event.watch_list_saved.parties.extend(parties)
    return event


def snoozed(item: str, until: date, *, event_id: str | None = None) -> ledger.NewEvent:
    """Puts an attention item off until a day; to be appended by the person it is for."""
    return ledger.NewEvent(
        event_id=event_id or new_event_id(),
        attention_answered=practice_pb2.AttentionAnswered(
            item=item,
            response=practice_pb2.ATTENTION_RESPONSE_SNOOZED,
            until=wire_date(until),
        ),
    )


def not_relevant(item: str, *, event_id: str | None = None) -> ledger.NewEvent:
    """Says that an attention item is not relevant; to be appended by the person it is for."""
    return ledger.NewEvent(
        event_id=event_id or new_event_id(),
        attention_answered=practice_pb2.AttentionAnswered(
            item=item, response=practice_pb2.ATTENTION_RESPONSE_NOT_RELEVANT
        ),
    )
