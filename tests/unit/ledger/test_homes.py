"""Homes, targets, visibility and occasions: the pure part of the ledger."""

from uuid import UUID, uuid4

import pytest
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2

from services.ledger.api.types import BY_FIELD, BY_NAME, full_type_name
from services.ledger.domain import targets
from services.ledger.domain.homes import link_home, relationship_home
from services.ledger.domain.occasions import pair_event_id, pairs
from services.ledger.domain.targets import Target, refusal
from services.ledger.domain.visibility import Visibility, may_read, needs_side
from services.runtime.errors import Reason

ANN, BOB, CAT = "people/ann", "people/bob", "people/cat"


def test_a_relationship_is_one_home_whoever_gave() -> None:
    assert relationship_home(BOB, ANN) == relationship_home(ANN, BOB) == "relationships/ann~bob"


def test_a_link_belongs_to_the_smaller_id_in_byte_order() -> None:
    assert link_home("people/b", "people/a-1") == "people/a-1"
    assert link_home("people/a.1", "people/a-1") == "people/a-1"


@pytest.mark.parametrize(
    ("field", "payload", "home"),
    [
        ("touchpoint", touchpoint_pb2.Touchpoint(initiator=BOB, counterpart=ANN), None),
        ("party_described", people_pb2.PartyDescribed(party="organizations/o"), "organizations/o"),
        (
            "affiliation_started",
            people_pb2.AffiliationStarted(person=ANN, organization="organizations/o"),
            ANN,
        ),
        ("identity_linked", people_pb2.IdentityLinked(a=BOB, b=ANN), ANN),
        ("fact_learned", people_pb2.FactLearned(person=ANN), ANN),
        ("date_noted", people_pb2.DateNoted(person=ANN), ANN),
        ("signal_observed", people_pb2.SignalObserved(about="organizations/o"), "organizations/o"),
        ("policy_adopted", practice_pb2.PolicyAdopted(), "tenants/acme"),
        ("watch_list_saved", practice_pb2.WatchListSaved(), "services/crm"),
        ("attention_answered", practice_pb2.AttentionAnswered(), "services/crm"),
    ],
)
def test_every_payload_has_the_home_the_domain_gives_it(
    field: str, payload: object, home: str | None
) -> None:
    home_of = BY_FIELD[field].home
    assert home_of is not None
    expected = home or "relationships/ann~bob"
    assert home_of(payload, "acme", "services/crm") == expected


def test_a_voided_has_no_home_of_its_own() -> None:
    assert BY_FIELD["voided"].home is None


def test_types_are_known_by_short_and_full_name() -> None:
    assert full_type_name("Touchpoint") == "rapport.events.v1.Touchpoint"
    assert full_type_name("rapport.events.v1.SubjectErased") == "rapport.events.v1.SubjectErased"
    assert full_type_name("Nonsense") is None
    assert full_type_name("rapport.events.v1.PersonalText") is None


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_anything_but_a_voided_and_a_subject_erased_can_be_voided(name: str) -> None:
    target = Target(name, "people/ann", frozenset(), ())
    refused = refusal(targets.VOIDED, frozenset(), target)
    final = name in (targets.VOIDED, "rapport.events.v1.SubjectErased")
    assert refused is (Reason.TARGET_NOT_VOIDABLE if final else None)


def test_a_correction_takes_a_touchpoint_of_the_same_two_people_in_either_role() -> None:
    pair = frozenset({ANN, BOB})
    original = Target(targets.TOUCHPOINT, "relationships/ann~bob", pair, (ANN, BOB))
    correction = Target(targets.CORRECTED, "relationships/ann~bob", pair, (ANN, BOB))
    assert refusal(targets.CORRECTED, frozenset({BOB, ANN}), original) is None
    other = frozenset({ANN, CAT})
    assert refusal(targets.CORRECTED, other, original) is Reason.TARGET_NOT_CORRECTABLE
    assert refusal(targets.CORRECTED, pair, correction) is Reason.TARGET_NOT_CORRECTABLE


def test_an_end_takes_a_start_of_its_own_kind_for_the_same_parties() -> None:
    pair = frozenset({ANN, "organizations/o"})
    start = Target(targets.AFFILIATION_STARTED, ANN, pair, (ANN,))
    assert refusal(targets.AFFILIATION_ENDED, pair, start) is None
    assert refusal(targets.IDENTITY_UNLINKED, pair, start) is Reason.TARGET_NOT_ENDABLE
    other = frozenset({BOB, "organizations/o"})
    assert refusal(targets.AFFILIATION_ENDED, other, start) is Reason.TARGET_NOT_ENDABLE


@pytest.mark.parametrize(
    ("visibility", "principal", "is_internal", "expected"),
    [
        (Visibility.TENANT, "people/stranger", False, True),
        (Visibility.PRIVATE, "services/recorder", False, True),
        (Visibility.PRIVATE, ANN, False, False),
        (Visibility.PARTIES, "services/recorder", False, True),
        (Visibility.PARTIES, ANN, True, True),
        (Visibility.PARTIES, ANN, False, False),
        (Visibility.PARTIES, "people/stranger", False, False),
        (Visibility.PARTIES, "services/other", False, False),
    ],
)
def test_texts_reach_as_far_as_their_visibility(
    visibility: Visibility, principal: str, is_internal: bool, expected: bool
) -> None:
    seen = may_read(
        visibility,
        principal=principal,
        recorder="services/recorder",
        people=(ANN, BOB),
        is_internal=is_internal,
    )
    assert seen is expected


def test_a_side_is_only_asked_for_when_the_answer_hangs_on_it() -> None:
    def asked(visibility: Visibility, principal: str) -> bool:
        return needs_side(visibility, principal=principal, recorder=BOB, people=(ANN, BOB))

    assert asked(Visibility.PARTIES, ANN)
    assert not asked(Visibility.PARTIES, BOB)  # recorded it
    assert not asked(Visibility.PARTIES, CAT)
    assert not asked(Visibility.TENANT, ANN)


def test_event_ids_of_an_occasion_follow_from_it_and_the_pair() -> None:
    occasion = str(uuid4())
    first = pair_event_id(occasion, ANN, BOB)
    assert first == pair_event_id(occasion, ANN, BOB)
    assert UUID(first).version == 5
    others = {pair_event_id(occasion, BOB, ANN), pair_event_id(str(uuid4()), ANN, BOB)}
    assert first not in others
    assert len(others) == 2


def test_pairs_of_an_occasion_come_by_host_and_then_guest() -> None:
    assert list(pairs([BOB, ANN], [CAT, "people/d"])) == [
        (BOB, CAT),
        (BOB, "people/d"),
        (ANN, CAT),
        (ANN, "people/d"),
    ]
