"""Parties: from a row and the description in force to the message."""

from rapport.events.v1 import people_pb2
from rapport.v1 import timeline_service_pb2 as timeline

from services.projector.queries.parties import PartyRow
from services.runtime.names import is_person


def party_message(row: PartyRow, described: people_pb2.PartyDescribed) -> timeline.Party:
    """A party; `described` is the row's payload, texts opened."""
    message = timeline.Party(
        party=row.party,
        kind=(
            people_pb2.PARTY_KIND_PERSON
            if is_person(row.party)
            else people_pb2.PARTY_KIND_ORGANIZATION
        ),
        side=described.side,
        team=described.team,
        tier=described.tier,
        erased=row.erased,
        described_by=str(row.described_by or ""),
    )
    if described.HasField("display_name"):
        message.display_name.CopyFrom(described.display_name)
    if described.HasField("portrait"):
        message.portrait.CopyFrom(described.portrait)
    for name, text in described.attributes.items():
        message.attributes[name].CopyFrom(text)
    return message
