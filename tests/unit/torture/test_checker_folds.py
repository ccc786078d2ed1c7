"""The checker's incremental fold, against the oracle that folds everything at once."""

from base64 import b64encode
from hashlib import sha256

import pytest

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.entries import fold
from services.projector.domain.facts import pair_of
from services.projector.facts import Delivered
from tests.faults.torture.checker_folds import TenantFold
from tests.faults.torture.records import JournalRow
from tests.support import views_oracle
from tests.support.deliveries import TODAY, deliver, mixed_events


def row_of(event: Delivered) -> JournalRow:
    return JournalRow(
        journal=event.journal,
        position=event.position,
        tenant=event.tenant,
        event_id=event.event_id,
        event_type=event.type,
        home=event.home,
        revision=event.revision,
        occurred_at_us=event.occurred_at_us,
        recorded_at_us=event.recorded_at_us,
        sha256=sha256(event.payload).hexdigest(),
        payload_b64=b64encode(event.payload).decode(),
    )


@pytest.mark.parametrize("seed", range(6))
def test_after_every_tenth_event_it_holds_what_the_oracle_folds_of_all(seed: int) -> None:
    events = mixed_events(seed, 40)
    told = TenantFold()
    for number, event in enumerate(events, start=1):
        told.tell(row_of(event))
        if number % 10 == 0:
            for day in (TODAY - 60, TODAY, TODAY + 30):
                _compare(told, events[:number], day)


def _compare(told: TenantFold, events: list[Delivered], day: int) -> None:
    expected = views_oracle.standings(events, day)
    assert told.relationships() == set(expected)
    by_buffer = sorted(((told_of[2], *pair) for pair, told_of in expected.items()), reverse=True)
    assert told.standings(day) == by_buffer
    policy = views_oracle.policy_on(events, day)
    members: dict[tuple[str, str], Balance] = {}
    who = views_oracle.humans(events)
    for pair, touchpoints in views_oracle.raw_pairs(events).items():
        canonical = who.canonical_pair(pair)
        if canonical is not None:
            posted = Buckets(fold(touchpoints, policy, day).entries).balance(day)
            members[canonical] = members.get(canonical, Balance()) + posted
    for (a, b), total in members.items():
        amounts = total.know_mp, total.care_mp, total.buffer_mp(policy)
        assert told.balance(b, a, day) == amounts == expected[pair_of(a, b)][:3]
    states = views_oracle.states(events)
    for a, b in expected:
        names, shown = told.timeline(a, b, 1000)
        assert shown == tuple(states[name][0] for name in names)
        assert told.timeline(a, b, 3) == (names[:3], shown[:3])


def test_what_nobody_can_read_changes_nothing() -> None:
    told = TenantFold()
    told.tell(row_of(deliver(b"\xff", 1, type_name="rapport.events.v1.Touchpoint")))
    assert told.relationships() == set()
