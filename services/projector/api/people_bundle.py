"""A person's bundle: what may be seen of the own relationships, opened and put together."""

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as ledger

from services.projector import facts as types
from services.projector.api.answers import timestamp_message
from services.projector.api.calls import Call, Keys
from services.projector.api.texts import Sealed, may_see, open_all
from services.projector.bundle.building import build_bundle
from services.projector.bundle.parties import BundleDate, BundleParty
from services.projector.domain.people.affiliations import Affiliations
from services.projector.queries.bundles import Taken, of_type
from services.runtime.clock import datetime_from_instant, day_of
from services.runtime.names import is_person

_FIELDS = {
    types.TOUCHPOINT: "touchpoint",
    types.CORRECTED: "corrected",
    types.VOIDED: "voided",
    types.PARTY_DESCRIBED: "party_described",
    types.FACT_LEARNED: "fact_learned",
    types.DATE_NOTED: "date_noted",
    types.AFFILIATION_STARTED: "affiliation_started",
    types.AFFILIATION_ENDED: "affiliation_ended",
}


async def bundle_of(
    keys: Keys,
    call: Call,
    taken: Sequence[Taken],
    places: Affiliations,
    *,
    internal: bool,
    signing_key: Ed25519PrivateKey,
    now_us: int,
) -> bytes:
    """The archive of the caller's own relationships.

    `places` are the affiliations of everybody in them, `internal` says whether the caller is one
    of ours: which of the texts for the parties alone the caller sees.
    """
    person = call.caller.principal
    await open_all(keys, call.tenant, [_sealed(each, person, internal=internal) for each in taken])
    dates = [_date(each) for each in of_type(taken, types.DATE_NOTED) if each.message.label.text]
    return build_bundle(
        person,
        [_event(each) for each in taken],
        _parties(taken, places, now_us),
        dates,
        signing_key,
        made_at=datetime_from_instant(now_us),
    )


def _sealed(taken: Taken, person: str, *, internal: bool) -> Sealed:
    message: Any = taken.message
    touchpoint: touchpoint_pb2.Touchpoint | None = None
    if taken.type == types.TOUCHPOINT:
        touchpoint = message
    elif taken.type == types.CORRECTED:
        touchpoint = message.touchpoint
    if touchpoint is not None:
        named: tuple[str, ...] = (touchpoint.initiator, touchpoint.counterpart)
        visible = may_see(touchpoint, taken.recorded_by, person, internal=internal)
    else:
        named = (getattr(message, "person", ""), getattr(message, "party", ""))
        visible = True
    return Sealed(message, taken.event_id, named, visible)


def _event(taken: Taken) -> ledger.Event:
    event = ledger.Event(
        event_id=taken.event_id,
        occurred_at=timestamp_message(taken.occurred_at_us),
        recorded_at=timestamp_message(taken.recorded_at_us),
        recorded_by=ledger.RecordedBy(principal=taken.recorded_by),
        type=taken.type,
        schema_version=1,
    )
    getattr(event, _FIELDS[taken.type]).CopyFrom(taken.message)
    return event


def _parties(taken: Sequence[Taken], places: Affiliations, now_us: int) -> list[BundleParty]:
    """Everybody in the events: the name last given, and where a person is now."""
    day = day_of(now_us)
    voided = {each.message.target for each in of_type(taken, types.VOIDED)}
    names: dict[str, str] = {}
    parties: set[str] = set()
    by_time = sorted(taken, key=lambda each: (each.occurred_at_us, each.position))
    for each in by_time:
        if each.type == types.TOUCHPOINT:
            parties |= {each.message.initiator, each.message.counterpart}
        elif each.type == types.PARTY_DESCRIBED and each.event_id not in voided:
            parties.add(each.message.party)
            names[each.message.party] = each.message.display_name.text
    found = []
    for party in sorted(parties):
        here = places.of([party], day) if is_person(party) else ()
        place = here[-1] if here else None
        organization = "" if place is None else place.organization
        found.append(
            BundleParty(
                party=party,
                name=names.get(party, ""),
                organization=names.get(organization, "") or organization,
                role="" if place is None else place.role,
            )
        )
    return found


def _date(taken: Taken) -> BundleDate:
    noted = taken.message
    return BundleDate(
        event_id=taken.event_id,
        person=noted.person,
        label=noted.label.text,
        month=noted.month,
        day=noted.day,
        year=noted.year if noted.HasField("year") else None,
    )
