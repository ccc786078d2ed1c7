"""From stored bytes to facts: the one place where the projector reads payloads of the journal.

Tolerant as every reader must be: an enum value nobody knows here is taken as unset; a type nobody
knows is carried by who calls. What cannot be a fact at all raises UnreadableFact, whose
message holds no id and no text of the payload, so that it may be logged and stored.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol
from uuid import UUID

from google.protobuf.message import DecodeError
from rapport.events.v1 import common_pb2, people_pb2, practice_pb2, touchpoint_pb2

from services.projector.domain.facts import Correction, Touchpoint, Void
from services.runtime.clock import day_from_date, instant_from_timestamp
from services.runtime.policy import Attribution, Audience, Initiative, RecoveryStep

PACKAGE: Final = "rapport.events.v1"
TOUCHPOINT: Final = f"{PACKAGE}.Touchpoint"
VOIDED: Final = f"{PACKAGE}.Voided"
CORRECTED: Final = f"{PACKAGE}.Corrected"
PARTY_DESCRIBED: Final = f"{PACKAGE}.PartyDescribed"
AFFILIATION_STARTED: Final = f"{PACKAGE}.AffiliationStarted"
AFFILIATION_ENDED: Final = f"{PACKAGE}.AffiliationEnded"
IDENTITY_LINKED: Final = f"{PACKAGE}.IdentityLinked"
IDENTITY_UNLINKED: Final = f"{PACKAGE}.IdentityUnlinked"
FACT_LEARNED: Final = f"{PACKAGE}.FactLearned"
DATE_NOTED: Final = f"{PACKAGE}.DateNoted"
SIGNAL_OBSERVED: Final = f"{PACKAGE}.SignalObserved"
POLICY_ADOPTED: Final = f"{PACKAGE}.PolicyAdopted"
WATCH_LIST_SAVED: Final = f"{PACKAGE}.WatchListSaved"
ATTENTION_ANSWERED: Final = f"{PACKAGE}.AttentionAnswered"
SUBJECT_ERASED: Final = f"{PACKAGE}.SubjectErased"

SCHEMA_VERSION_MAX: Final = 1

_INITIATIVES: Final[Mapping[int, Initiative]] = {
    touchpoint_pb2.INITIATIVE_PROACTIVE: Initiative.PROACTIVE,
    touchpoint_pb2.INITIATIVE_RESPONSIVE: Initiative.RESPONSIVE,
    touchpoint_pb2.INITIATIVE_REACTIVE: Initiative.REACTIVE,
    touchpoint_pb2.INITIATIVE_AUTOMATED: Initiative.AUTOMATED,
}
_INITIATIVE_NUMBERS: Final[Mapping[Initiative | None, int]] = {
    None: 0,
    **{word: number for number, word in _INITIATIVES.items()},
}
_AUDIENCES: Final[Mapping[int, Audience]] = {
    touchpoint_pb2.AUDIENCE_ONE: Audience.ONE,
    touchpoint_pb2.AUDIENCE_FEW: Audience.FEW,
    touchpoint_pb2.AUDIENCE_MANY: Audience.MANY,
}
_ATTRIBUTIONS: Final[Mapping[int, Attribution]] = {
    touchpoint_pb2.ATTRIBUTION_OURS: Attribution.OURS,
    touchpoint_pb2.ATTRIBUTION_SHARED: Attribution.SHARED,
    touchpoint_pb2.ATTRIBUTION_EXTERNAL: Attribution.EXTERNAL,
    touchpoint_pb2.ATTRIBUTION_UNKNOWN: Attribution.UNKNOWN,
}
_STEPS: Final[Mapping[int, RecoveryStep]] = {
    touchpoint_pb2.RECOVERY_STEP_APOLOGY: RecoveryStep.APOLOGY,
    touchpoint_pb2.RECOVERY_STEP_FIX: RecoveryStep.FIX,
    touchpoint_pb2.RECOVERY_STEP_COMPENSATION: RecoveryStep.COMPENSATION,
    touchpoint_pb2.RECOVERY_STEP_FOLLOW_UP: RecoveryStep.FOLLOW_UP,
}
_ATTRIBUTION_NUMBERS: Final[Mapping[Attribution | None, int]] = {
    None: 0,
    **{word: number for number, word in _ATTRIBUTIONS.items()},
}
_STEP_NUMBERS: Final = {word: number for number, word in _STEPS.items()}
_CANONICAL: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SIDES: Final = frozenset({people_pb2.SIDE_INTERNAL, people_pb2.SIDE_EXTERNAL})


class UnreadableFact(ValueError):  # noqa: N818 - the sentence reads without "Error"
    """A stored payload that is no fact of its type; says why without quoting it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A stored event as it reaches the projector: the envelope and the bytes of its payload.

    Ids are canonical lower-case text. Instants are microseconds since 2000-01-01T00:00:00Z.
    `type` is the payload's full proto name, `kind` empty for what is no touchpoint.
    """

    journal: str
    incarnation: str
    position: int
    tenant: str
    event_id: str
    type: str
    home: str
    revision: int
    kind: str
    occurred_at_us: int
    recorded_at_us: int
    recorded_by: str
    schema_version: int
    payload: bytes


class _Parsed(Protocol):
    def ParseFromString(self, serialized: bytes, /) -> int: ...  # noqa: N802 - protobuf's name


def touchpoint_from(
    payload: bytes, *, event_id: str, position: int, occurred_at_us: int
) -> Touchpoint:
    """The touchpoint of a stored Touchpoint's bytes; UnreadableFact if they are none."""
    message = _parse(touchpoint_pb2.Touchpoint(), payload)
    return touchpoint_of(
        message, event_id=event_id, position=position, occurred_at_us=occurred_at_us
    )


def correction_from(payload: bytes, *, event_id: str, position: int) -> Correction:
    """The correction of a stored Corrected's bytes; UnreadableFact if they are none."""
    message = _parse(touchpoint_pb2.Corrected(), payload)
    keeps_instant = not message.HasField("occurred_at")
    instant_us = 0
    if not keeps_instant:
        instant_us = _instant(message.occurred_at.seconds, message.occurred_at.nanos)
    replaces = _required_id(message.replaces, "replaces")
    return Correction(
        event_id=event_id,
        position=position,
        replaces=replaces,
        replacement=touchpoint_of(
            message.touchpoint, event_id=replaces, position=position, occurred_at_us=instant_us
        ),
        keeps_instant=keeps_instant,
    )


def void_from(payload: bytes, *, event_id: str, position: int) -> Void:
    """The void of a stored Voided's bytes; UnreadableFact if they are none."""
    message = _parse(touchpoint_pb2.Voided(), payload)
    return Void(event_id=event_id, position=position, target=_required_id(message.target, "target"))


def standing_from(
    payload: bytes, *, corrected: bool, event_id: str, position: int, occurred_at_us: int
) -> Touchpoint:
    """A touchpoint as it stands: from its own bytes or, where `corrected`, a stored Corrected's.

    `event_id` and `position` are the original's, `occurred_at_us` is as it stands.
    """
    return touchpoint_of(
        standing_touchpoint(payload, corrected),
        event_id=event_id,
        position=position,
        occurred_at_us=occurred_at_us,
    )


def standing_touchpoint(payload: bytes, corrected: bool) -> touchpoint_pb2.Touchpoint:
    """The stored Touchpoint that stands, texts sealed: a Corrected's own where `corrected`."""
    if corrected:
        return _parse(touchpoint_pb2.Corrected(), payload).touchpoint
    return _parse(touchpoint_pb2.Touchpoint(), payload)


def touchpoint_of(
    message: touchpoint_pb2.Touchpoint, *, event_id: str, position: int, occurred_at_us: int
) -> Touchpoint:
    """The touchpoint of a decoded message; UnreadableFact without two different people."""
    initiator, counterpart = message.initiator, message.counterpart
    if not initiator or not counterpart or initiator == counterpart:
        raise UnreadableFact("a touchpoint is between two different people")
    prep = live = follow_up = None
    if message.HasField("minutes"):
        minutes = message.minutes
        prep = minutes.prep if minutes.HasField("prep") else None
        live = minutes.live if minutes.HasField("live") else None
        follow_up = minutes.follow_up if minutes.HasField("follow_up") else None
    return Touchpoint(
        event_id=event_id,
        position=position,
        instant_us=occurred_at_us,
        initiator=initiator,
        counterpart=counterpart,
        kind=message.kind,
        mutual=message.mutual,
        channel=message.channel,
        initiative=_INITIATIVES.get(message.initiative),
        audience=_AUDIENCES.get(message.audience),
        prep_minutes=prep,
        live_minutes=live,
        follow_up_minutes=follow_up,
        depth=message.depth if message.HasField("depth") else None,
        sentiment=message.sentiment if message.HasField("sentiment") else None,
        severity=message.severity or None,
        attribution=_ATTRIBUTIONS.get(message.attribution),
        category=message.category,
        resolves=_id_or_nothing(message.resolves),
        recovery_step=_STEPS.get(message.recovery_step),
        in_reply_to=_id_or_nothing(message.in_reply_to),
        due_on=_day(message.due_on) if message.HasField("due_on") else None,
        fulfils=_id_or_nothing(message.fulfils),
        occasion_id=message.occasion_id,
        facts_used=_ids(message.facts_used) if message.facts_used else (),
    )


def initiative_number(initiative: Initiative | None) -> int:
    """The number of rapport.events.v1.Initiative; 0 for the kind's default."""
    return _INITIATIVE_NUMBERS[initiative]


def attribution_number(attribution: Attribution | None) -> int:
    """The number of rapport.events.v1.Attribution; 0 for none told."""
    return _ATTRIBUTION_NUMBERS[attribution]


def attribution_of(number: int) -> Attribution | None:
    """The attribution of a number of rapport.events.v1.Attribution; None for 0."""
    return _ATTRIBUTIONS.get(number)


def step_number(step: RecoveryStep) -> int:
    """The number of rapport.events.v1.RecoveryStep."""
    return _STEP_NUMBERS[step]


def side_number(number: int) -> int:
    """The number of rapport.events.v1.Side, 0 for one nobody knows here."""
    return number if number in _SIDES else 0


def party_described_from(payload: bytes) -> people_pb2.PartyDescribed:
    """A stored PartyDescribed, texts sealed; UnreadableFact if the bytes are none."""
    message = _parse(people_pb2.PartyDescribed(), payload)
    _required(message.party, "party")
    return message


def affiliation_started_from(payload: bytes) -> people_pb2.AffiliationStarted:
    """A stored AffiliationStarted."""
    return _parse(people_pb2.AffiliationStarted(), payload)


def affiliation_ended_from(payload: bytes) -> people_pb2.AffiliationEnded:
    """A stored AffiliationEnded."""
    message = _parse(people_pb2.AffiliationEnded(), payload)
    _required_id(message.ends, "ends")
    return message


def identity_linked_from(payload: bytes) -> people_pb2.IdentityLinked:
    """A stored IdentityLinked, evidence sealed; UnreadableFact without two different ids."""
    message = _parse(people_pb2.IdentityLinked(), payload)
    _two_ids(message.a, message.b)
    return message


def identity_unlinked_from(payload: bytes) -> people_pb2.IdentityUnlinked:
    """A stored IdentityUnlinked; UnreadableFact without two different ids and what it ends."""
    message = _parse(people_pb2.IdentityUnlinked(), payload)
    _two_ids(message.a, message.b)
    _required_id(message.ends, "ends")
    return message


def policy_json_from(payload: bytes) -> str:
    """The document of a stored PolicyAdopted."""
    return _parse(practice_pb2.PolicyAdopted(), payload).policy_json


def subject_from(payload: bytes) -> str:
    """Who a stored SubjectErased is about."""
    return _required(_parse(people_pb2.SubjectErased(), payload).subject, "subject")


def parties_of_other(type_name: str, payload: bytes) -> tuple[str, ...]:
    """Whom a fact of a type without views of its own names; nobody for an unknown type."""
    if type_name == AFFILIATION_STARTED:
        started = affiliation_started_from(payload)
        return started.person, started.organization
    if type_name == FACT_LEARNED:
        return (_parse(people_pb2.FactLearned(), payload).person,)
    if type_name == DATE_NOTED:
        return (_parse(people_pb2.DateNoted(), payload).person,)
    if type_name == SIGNAL_OBSERVED:
        return (_parse(people_pb2.SignalObserved(), payload).about,)
    if type_name == WATCH_LIST_SAVED:
        return tuple(_parse(practice_pb2.WatchListSaved(), payload).parties)
    if type_name == ATTENTION_ANSWERED:
        _parse(practice_pb2.AttentionAnswered(), payload)
    return ()


def canonical_id(text: str) -> str | None:
    """An event id in its canonical spelling; None for what is no UUID."""
    if _CANONICAL.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _parse[M: _Parsed](message: M, payload: bytes) -> M:
    try:
        message.ParseFromString(payload)
    except DecodeError:
        raise UnreadableFact("the payload cannot be decoded") from None
    return message


def _required(text: str, field: str) -> str:
    if not text:
        raise UnreadableFact(f"{field} is missing")
    return text


def _required_id(text: str, field: str) -> str:
    found = canonical_id(text)
    if found is None:
        raise UnreadableFact(f"{field} is no event id")
    return found


def _id_or_nothing(text: str) -> str:
    return (canonical_id(text) or "") if text else ""


def _ids(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(found for text in texts if (found := canonical_id(text)) is not None)


def _two_ids(a: str, b: str) -> None:
    if not a or not b or a == b:
        raise UnreadableFact("a link is between two different ids")


def _instant(seconds: int, nanos: int) -> int:
    try:
        return instant_from_timestamp(seconds, nanos)
    except ValueError:
        raise UnreadableFact("occurred_at is no instant") from None


def _day(day: common_pb2.Date) -> int | None:
    try:
        return day_from_date(date(day.year, day.month, day.day))
    except ValueError:
        return None
