"""From stored bytes to facts: tolerant where readers must be, clear where nothing can be read."""

from typing import Any
from uuid import UUID

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2

from services.projector import facts
from services.projector.domain.buckets import Buckets
from services.projector.facts import UnreadableFact
from services.projector.projections.arrivals import sort_events
from services.projector.stored import (
    THROUGH_DAY_NONE,
    buckets_from_text,
    text_from_buckets,
    through_day_of,
)
from services.runtime.policy import Attribution, Audience, Initiative, RecoveryStep
from tests.support.deliveries import deliver

ID = str(UUID(int=1))
KNOWN: Any = {"event_id": ID, "position": 7}


def touch(**fields: Any) -> touchpoint_pb2.Touchpoint:
    given = {"initiator": "people/a", "counterpart": "people/b", "kind": "call", **fields}
    return touchpoint_pb2.Touchpoint(**given)


def read(message: touchpoint_pb2.Touchpoint) -> Any:
    return facts.touchpoint_from(message.SerializeToString(), **KNOWN, occurred_at_us=5)


def test_what_is_absent_is_unset() -> None:
    found = read(touch())

    assert (found.initiative, found.audience, found.attribution) == (None, None, None)
    assert (found.prep_minutes, found.live_minutes, found.follow_up_minutes) == (None, None, None)
    assert (found.depth, found.sentiment, found.severity, found.due_on) == (None,) * 4
    assert found.recovery_step is None
    assert (found.event_id, found.position, found.instant_us) == (ID, 7, 5)


def test_a_zero_that_was_given_is_no_absence() -> None:
    found = read(touch(depth=0, sentiment=0, minutes=touchpoint_pb2.Minutes(live=0)))

    assert (found.depth, found.sentiment, found.live_minutes) == (0, 0, 0)
    assert found.prep_minutes is None


def test_every_word_the_policy_knows_is_read() -> None:
    for enum, field, words in (
        ("INITIATIVE", "initiative", Initiative),
        ("AUDIENCE", "audience", Audience),
        ("ATTRIBUTION", "attribution", Attribution),
        ("RECOVERY_STEP", "recovery_step", RecoveryStep),
    ):
        for word in words:
            number = getattr(touchpoint_pb2, f"{enum}_{word}")
            assert getattr(read(touch(**{field: number})), field) is word


def test_an_enum_value_nobody_knows_is_unset() -> None:
    found = read(touch(initiative=99, audience=99, attribution=99, recovery_step=99))

    assert (found.initiative, found.audience) == (None, None)
    assert (found.attribution, found.recovery_step) == (None, None)


def test_ids_of_events_are_read_in_their_canonical_spelling() -> None:
    upper = "0ABCDEF0-0000-4000-8000-00000000000A"

    assert read(touch(resolves=upper)).resolves == upper.lower()
    assert read(touch(resolves="no id")).resolves == ""


@pytest.mark.parametrize(
    "fields",
    [{"initiator": ""}, {"counterpart": ""}, {"counterpart": "people/a"}],
)
def test_a_touchpoint_without_two_different_people_is_none(fields: dict[str, str]) -> None:
    with pytest.raises(UnreadableFact, match="two different people"):
        read(touch(**fields))


def test_bytes_that_are_no_message_are_not_quoted() -> None:
    with pytest.raises(UnreadableFact) as refused:
        facts.void_from(b"\xffsecret", **KNOWN)

    assert str(refused.value) == "the payload cannot be decoded"


def test_a_correction_without_a_time_keeps_the_originals() -> None:
    message = touchpoint_pb2.Corrected(replaces=ID, touchpoint=touch())
    found = facts.correction_from(message.SerializeToString(), **KNOWN)
    assert found.keeps_instant

    message.occurred_at.seconds = 946_684_800
    message.occurred_at.nanos = 1_000
    found = facts.correction_from(message.SerializeToString(), **KNOWN)
    assert (found.keeps_instant, found.replacement.instant_us) == (False, 1)


def test_every_type_of_the_contract_finds_its_place() -> None:
    link = people_pb2.IdentityLinked(a="people/b", b="people/a")
    events = [
        deliver(touch(), 1),
        deliver(touchpoint_pb2.Voided(target=ID), 2),
        deliver(link, 3),
        deliver(people_pb2.SubjectErased(subject="people/z"), 4),
        deliver(b"", 5, type_name="rapport.events.v1.Unheard"),
    ]

    found = sort_events(events)

    assert len(found.touchpoints) == len(found.amendments) == len(found.links) == 1
    assert [event.position for event in found.others] == [4, 5]
    assert {party.name for party in found.first_named} == {"people/a", "people/b", "people/z"}


def test_buckets_survive_their_text_whatever_their_size() -> None:
    buckets = Buckets()
    buckets.know[60, -3], buckets.care[365, 12] = -(10**40), 10**60
    buckets.through_day = 9000

    text = text_from_buckets(buckets)

    assert buckets_from_text(text, through_day_of(buckets)) == buckets
    assert through_day_of(Buckets()) == THROUGH_DAY_NONE
    assert buckets_from_text("{}", THROUGH_DAY_NONE) == Buckets()
