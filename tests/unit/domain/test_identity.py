"""Ids that are one human."""

from services.projector.domain.facts import Void
from services.projector.domain.identity import NO_LINKS, Link, Unlink, identities
from tests.unit.domain.people import touch, uuid


def link(number: int, a: str, b: str, *, strong: bool = True) -> Link:
    return Link(event_id=uuid(number), position=number, a=a, b=b, strong=strong)


def unlink(number: int, ends: int) -> Unlink:
    return Unlink(event_id=uuid(number), position=number, ends=uuid(ends))


def void(number: int, target: int) -> Void:
    return Void(event_id=uuid(number), position=number, target=uuid(target))


def test_the_canonical_id_is_the_smallest_of_the_component() -> None:
    told = identities([link(1, "z", "m"), link(2, "m", "k"), link(3, "q", "r")])

    assert [told.canonical(person) for person in "zmkqr"] == ["k", "k", "k", "q", "q"]
    assert told.members("z") == ("k", "m", "z")
    assert told.members("x") == ("x",)
    assert told.canonical("x") == "x"


def test_a_weak_link_only_proposes() -> None:
    assert not identities([link(1, "a", "b", strong=False)]).same_human("a", "b")


def test_one_link_that_is_not_ended_keeps_two_ids_together() -> None:
    facts: list[Link | Unlink | Void] = [unlink(3, 1), link(1, "a", "b"), link(2, "b", "a")]

    assert identities(facts).same_human("a", "b")
    assert not identities([*facts, unlink(4, 2)]).same_human("a", "b")


def test_voiding_a_link_ends_it_and_voiding_its_end_restores_it() -> None:
    assert not identities([void(2, 1), link(1, "a", "b")]).same_human("a", "b")
    assert identities([link(1, "a", "b"), unlink(2, 1), void(3, 2)]).same_human("a", "b")


def test_an_unlink_of_anything_else_has_no_effect() -> None:
    assert identities([link(1, "a", "b"), unlink(2, 9)]).same_human("a", "b")


def test_known_at_leaves_out_links_that_came_later() -> None:
    facts: list[Link | Unlink | Void] = [link(1, "a", "b"), unlink(2, 1)]

    assert identities(facts, known_at=0) == NO_LINKS
    assert identities(facts, known_at=1).same_human("a", "b")
    assert not identities(facts, known_at=2).same_human("a", "b")


def test_a_relationship_of_two_humans_is_the_sum_of_their_raw_pairs() -> None:
    told = identities([link(1, "ann", "zoe"), link(2, "bob", "kim")])

    assert told.raw_pairs("zoe", "kim") == told.raw_pairs("bob", "ann")
    assert told.raw_pairs("zoe", "kim") == (
        ("ann", "bob"),
        ("ann", "kim"),
        ("bob", "zoe"),
        ("kim", "zoe"),
    )
    assert told.canonical_pair(("kim", "zoe")) == ("ann", "bob")


def test_a_pair_of_one_human_posts_nothing() -> None:
    told = identities([link(1, "ann", "bob")])
    call = touch(5, "call", "2026-01-01T10:00:00")

    assert told.canonical_pair(("ann", "bob")) is None
    assert told.raw_pairs("ann", "bob") == ()
    assert told.posting([call]) == []
    assert NO_LINKS.posting([call]) == [call]


def test_a_link_of_an_internal_with_an_external_person_has_no_effect() -> None:
    facts = [link(1, "ann", "eve"), link(2, "eve", "zoe")]

    told = identities(facts, sides={"ann": 1, "eve": 2, "zoe": 2})

    assert not told.same_human("ann", "eve")
    assert told.same_human("eve", "zoe")


def test_a_link_with_somebody_nobody_described_holds() -> None:
    assert identities([link(1, "ann", "eve")], sides={"ann": 1}).same_human("ann", "eve")
