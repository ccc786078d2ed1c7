"""Names: what is accepted, how it is normalised, and that messages repeat nothing."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime import names
from services.runtime.names import InvalidName, Relationship

IDS = st.from_regex(r"[a-z0-9._@-]{1,128}", fullmatch=True)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (names.parse_tenant, "a"),
        (names.parse_tenant, "a" * 63),
        (names.parse_journal, "main-2"),
        (names.parse_person, "people/ann.lee@example.org"),
        (names.parse_person, "people/" + "x" * 128),
        (names.parse_organization, "organizations/acme_1"),
        (names.parse_party, "people/a"),
        (names.parse_party, "organizations/a"),
        (names.parse_principal, "services/projector"),
        (names.parse_principal, "people/a"),
        (names.parse_kind, "email.one_to_one"),
        (names.parse_kind, "k" * 64),
        (names.parse_home, "people/a"),
        (names.parse_home, "organizations/a"),
        (names.parse_home, "services/importer"),
        (names.parse_home, "tenants/demo"),
        (names.parse_home, "relationships/a~b"),
    ],
)
def test_a_well_formed_name_is_returned_as_it_is(parse: Callable[[str], str], text: str) -> None:
    assert parse(text) == text


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (names.parse_tenant, ""),
        (names.parse_tenant, "a" * 64),
        (names.parse_tenant, "Demo"),
        (names.parse_tenant, "demo\n"),
        (names.parse_tenant, "a.b"),
        (names.parse_journal, "main_2"),
        (names.parse_person, "people/"),
        (names.parse_person, "people/a~b"),
        (names.parse_person, "people/a/b"),
        (names.parse_person, "people/Ann"),
        (names.parse_person, "people/" + "x" * 129),
        (names.parse_person, "people/é"),
        (names.parse_person, "people/a\n"),
        (names.parse_person, "organizations/a"),
        (names.parse_organization, "people/a"),
        (names.parse_party, "services/a"),
        (names.parse_principal, "organizations/a"),
        (names.parse_principal, "a"),
        (names.parse_relationship, "relationships/a"),
        (names.parse_relationship, "relationships/a~b~c"),
        (names.parse_relationship, "relationships/~b"),
        (names.parse_relationship, "a~b"),
        (names.parse_kind, "k" * 65),
        (names.parse_kind, "a..b"),
        (names.parse_kind, ".a"),
        (names.parse_kind, "a."),
        (names.parse_kind, "social-like"),
        (names.parse_kind, ""),
        (names.parse_event_id, "5A9A1718-6F11-4742-8228-82DCC5848DC0"),
        (names.parse_event_id, "5a9a17186f114742822882dcc5848dc0"),
        (names.parse_event_id, "{5a9a1718-6f11-4742-8228-82dcc5848dc0}"),
        (names.parse_event_id, "00000000-0000-0000-0000-000000000000"),
        (names.parse_event_id, ""),
        (names.parse_home, "tenants/"),
        (names.parse_home, "journals/main"),
        (names.parse_home, "relationships/a~a"),
    ],
)
def test_a_malformed_name_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(InvalidName):
        parse(text)


@pytest.mark.parametrize(
    "parse",
    [
        names.parse_tenant,
        names.parse_journal,
        names.parse_person,
        names.parse_organization,
        names.parse_party,
        names.parse_principal,
        names.parse_relationship,
        names.parse_kind,
        names.parse_event_id,
        names.parse_home,
    ],
)
def test_a_refusal_does_not_repeat_what_was_given(parse: Callable[[str], object]) -> None:
    with pytest.raises(InvalidName) as refused:
        parse("people/Ann Lee")
    assert "Ann" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_relationship_is_accepted_in_either_order_and_answered_in_one() -> None:
    assert names.parse_relationship("relationships/b~a") == Relationship("a", "b")
    assert names.parse_relationship("relationships/b~a").name == "relationships/a~b"
    assert names.parse_home("relationships/b~a") == "relationships/a~b"


def test_a_relationship_takes_two_different_people() -> None:
    with pytest.raises(InvalidName, match="two different people"):
        names.parse_relationship("relationships/a~a")
    with pytest.raises(InvalidName, match="two different people"):
        names.relationship_of("people/a", "people/a")
    with pytest.raises(InvalidName, match="a person is"):
        names.relationship_of("people/a", "organizations/b")


def test_the_other_end_of_a_relationship_is_found_from_both_sides() -> None:
    pair = Relationship("a", "b")
    assert (pair.other("people/a"), pair.other("people/b")) == ("people/b", "people/a")
    with pytest.raises(ValueError, match="not in this relationship"):
        pair.other("people/c")


@given(IDS, IDS)
def test_every_pair_of_ids_makes_a_name_that_parses_back_in_byte_order(a: str, b: str) -> None:
    if a == b:
        return
    pair = names.parse_relationship(f"relationships/{a}~{b}")
    assert pair == names.relationship_of(f"people/{b}", f"people/{a}")
    assert pair.a.encode() < pair.b.encode()
    assert names.parse_relationship(pair.name) == pair
    assert {pair.a, pair.b} == {a, b}


@given(st.uuids().filter(lambda value: value.int != 0))
def test_an_event_id_in_canonical_form_is_the_uuid(value: UUID) -> None:
    assert names.parse_event_id(str(value)) == value


def test_services_and_people_are_told_apart() -> None:
    assert names.is_service("services/projector")
    assert not names.is_service("people/services")
    assert names.is_person("people/a")
    assert not names.is_person("organizations/a")
