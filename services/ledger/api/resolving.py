"""What follows for an event from the one it names. See services.ledger.domain.targets."""

from collections.abc import Sequence
from typing import Final

from services.ledger.api.drafts import Draft
from services.ledger.api.types import BY_NAME, target_of
from services.ledger.domain.events import ArchivedEvent, StoredEvent
from services.ledger.domain.targets import VOIDED, Target, refusal
from services.runtime.errors import RapportError, Reason, Violation
from services.runtime.names import parse_relationship, tenant_home

_REFUSALS: Final = {
    Reason.TARGET_NOT_VOIDABLE: "is a Voided or SubjectErased, which cannot be taken back",
    Reason.TARGET_NOT_CORRECTABLE: "is no original Touchpoint between the same two people",
    Reason.TARGET_NOT_ENDABLE: "is no start of the same kind for the same parties",
}


def own_target(draft: Draft) -> Target:
    """A draft as later events of its batch see it."""
    return target_of(draft.kind_of, draft.payload, draft.home or "")


def stored_target(event: StoredEvent) -> Target:
    """A stored event as those that name it see it."""
    kind_of = BY_NAME.get(event.type)
    if kind_of is None:  # written by a newer version: it is what it says, between nobody we know
        return Target(event.type, event.home, frozenset(), ())
    payload = kind_of.message()
    payload.ParseFromString(event.payload)
    return target_of(kind_of, payload, event.home)


def archived_target(event: ArchivedEvent) -> Target:
    """An event that is in a file, as those that name it see it: its home names both people."""
    pair = parse_relationship(event.home).people
    return Target(event.type, event.home, frozenset(pair), pair)


def take_target(draft: Draft, target: Target | None, tenant: str) -> Reason | None:
    """Give a draft what follows from its target; the reason why it cannot name it, if any."""
    if target is None:
        if draft.type == VOIDED:
            draft.home, draft.people = tenant_home(tenant), ()
        return None
    parties = frozenset(draft.kind_of.parties(draft.payload))
    reason = refusal(draft.type, parties, target)
    if reason is None and draft.type == VOIDED:
        draft.home, draft.people = target.home, target.people
    return reason


def refused_targets(refused: Sequence[tuple[Draft, Reason]]) -> RapportError:
    """The refusal of drafts for their targets, at least one; the first gives the reason."""
    (first, reason), more = refused[0], len(refused) - 1
    message = f"the target {first.target} {_REFUSALS[reason]}" + (
        f" (and {more} more)" if more else ""
    )
    target = first.target or ""
    return RapportError(
        reason,
        message,
        metadata={"event_id": first.event_id, "target": target},
        violations=[
            Violation(f"{d.path}.{d.kind_of.field}.{d.kind_of.target}", _REFUSALS[r], r)
            for d, r in refused
        ],
    )
