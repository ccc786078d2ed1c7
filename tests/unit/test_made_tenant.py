"""The made tenant: what benchmarks and measurements load is the same every time."""

from collections import Counter
from itertools import chain

from rapport.v1.ledger_service_pb2 import NewEvent

from bench.made import Cast, made_events

RELATIONSHIPS = 1000
EVENTS = Cast(RELATIONSHIPS).introductions + 4 * RELATIONSHIPS


def _all(seed: int = 1, relationships: int = RELATIONSHIPS, events: int = EVENTS) -> list[NewEvent]:
    return list(chain.from_iterable(made_events(seed, relationships, events)))


def test_the_same_seed_makes_the_same_bytes_and_another_seed_other_ones() -> None:
    once, again, other = _all(), _all(), _all(seed=2)
    assert [e.SerializeToString(deterministic=True) for e in once] == [
        e.SerializeToString(deterministic=True) for e in again
    ]
    assert not {e.event_id for e in once} & {e.event_id for e in other}


def test_there_are_as_many_events_as_asked_for_and_no_id_twice() -> None:
    for relationships, events in ((1, 5), (10, 1), (10, 501), (RELATIONSHIPS, EVENTS)):
        ids = [event.event_id for event in _all(1, relationships, events)]
        assert len(ids) == len(set(ids)) == events


def test_every_relationship_asked_for_is_touched_and_no_other() -> None:
    touched = Counter(
        frozenset((event.touchpoint.initiator, event.touchpoint.counterpart))
        for event in _all()
        if event.HasField("touchpoint")
    )
    cast = Cast(RELATIONSHIPS)
    asked = {frozenset(cast.pair(number)) for number in range(RELATIONSHIPS)}
    assert len(asked) == RELATIONSHIPS
    assert touched.keys() == asked


def test_everybody_in_a_relationship_was_described_before() -> None:
    described: set[str] = set()
    for event in _all():
        if event.HasField("party_described"):
            described.add(event.party_described.party)
        if event.HasField("touchpoint"):
            assert {event.touchpoint.initiator, event.touchpoint.counterpart} <= described
