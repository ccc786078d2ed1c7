"""What a person may take along: every event of the own relationships, as recorded."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from rapport.events.v1 import people_pb2, touchpoint_pb2

from services.projector import facts as types
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.wide import read_wide
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import BUNDLE_EVENTS_MAX

_FACTS = (types.FACT_LEARNED, types.DATE_NOTED, types.AFFILIATION_STARTED)
_MESSAGES: dict[str, type[Message]] = {
    types.TOUCHPOINT: touchpoint_pb2.Touchpoint,
    types.CORRECTED: touchpoint_pb2.Corrected,
    types.VOIDED: touchpoint_pb2.Voided,
    types.PARTY_DESCRIBED: people_pb2.PartyDescribed,
    types.FACT_LEARNED: people_pb2.FactLearned,
    types.DATE_NOTED: people_pb2.DateNoted,
    types.AFFILIATION_STARTED: people_pb2.AffiliationStarted,
    types.AFFILIATION_ENDED: people_pb2.AffiliationEnded,
}
_ROLES = {"V": types.VOIDED, "C": types.CORRECTED}


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as recorded, its payload decoded, texts sealed."""

    event_id: str
    position: int
    type: str
    occurred_at_us: int
    recorded_at_us: int
    recorded_by: str
    message: Any


async def read_taken(snapshot: Snapshot, question: Question, person: str) -> list[Taken]:
    """The events of all of a person's relationships, by position: the order to append them again.

    Touchpoints with what corrects them and takes them back; what is known of both ends: how they
    were described, facts, dates, places. Raises LIST_TOO_WIDE beyond 10,000 relationships or
    100,000 events.
    """
    wide = await read_wide(snapshot, question, [person])
    pairs = [pair for relation in wide.relations for pair in relation.raw]
    people = {end for pair in pairs for end in pair} | set(wide.people.members(person))
    taken = await _touchpoints(snapshot, pairs)
    rows = await snapshot.fetch("facts_of_homes", sorted(people), list(_FACTS), question.position)
    taken += [_taken(row, row["type"]) for row in rows]
    places = {each.message.organization for each in taken if _is_start(each)}
    rows = await snapshot.fetch("bundle_descriptions", sorted(people | places))
    taken += [_taken(row, types.PARTY_DESCRIBED) for row in rows]
    taken += await _amendments(snapshot, question, [UUID(each.event_id) for each in taken])
    if len(taken) > BUNDLE_EVENTS_MAX:
        raise _too_many(len(taken))
    return sorted(taken, key=lambda each: each.position)


async def _touchpoints(snapshot: Snapshot, pairs: Sequence[tuple[str, str]]) -> list[Taken]:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rows = await snapshot.fetch("bundle_touchpoints", a, b, BUNDLE_EVENTS_MAX + 1)
    if len(rows) > BUNDLE_EVENTS_MAX:
        raise _too_many(len(rows))
    return [_taken(row, types.TOUCHPOINT) for row in rows]


async def _amendments(
    snapshot: Snapshot, question: Question, targets: Collection[UUID]
) -> list[Taken]:
    rows = await snapshot.fetch("amendments_of_events", list(targets), question.position)
    return [_taken(row, _ROLES.get(row["role"], types.AFFILIATION_ENDED)) for row in rows]


def _taken(row: Any, type_name: str) -> Taken:
    message = _MESSAGES[type_name]()
    message.ParseFromString(bytes(row["payload"]))
    return Taken(
        event_id=str(row["event_id"]),
        position=row["position"],
        type=type_name,
        occurred_at_us=row["occurred_at_us"],
        recorded_at_us=row["recorded_at_us"],
        recorded_by=row["recorded_by"],
        message=message,
    )


def _is_start(taken: Taken) -> bool:
    return taken.type == types.AFFILIATION_STARTED


def of_type(taken: Iterable[Taken], type_name: str) -> list[Taken]:
    """Those of a type, in order."""
    return [each for each in taken if each.type == type_name]


def _too_many(count: int) -> RapportError:
    return RapportError(
        Reason.LIST_TOO_WIDE,
        "these are more events than a bundle takes",
        metadata={"count": str(count), "limit": str(BUNDLE_EVENTS_MAX)},
    )
