"""The demo data set tells a story whose parts fit together."""

from datetime import UTC, datetime, timedelta

from deploy.local.demo import demo_events

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_its_event_ids_are_the_same_whenever_it_is_loaded() -> None:
    earlier = [event.event_id for event in demo_events(NOW - timedelta(days=400))]
    assert earlier == [event.event_id for event in demo_events(NOW)]
    assert len(set(earlier)) == len(earlier)


def test_everything_it_tells_of_has_happened() -> None:
    assert all(event.occurred_at.ToDatetime(UTC) < NOW for event in demo_events(NOW))


def test_what_points_at_another_event_points_at_one_of_its_own() -> None:
    events = demo_events(NOW)
    ids = {event.event_id for event in events}
    pointers = [
        pointer
        for event in events
        for pointer in (
            event.voided.target,
            event.corrected.replaces,
            event.touchpoint.resolves,
            event.touchpoint.fulfils,
            *event.touchpoint.facts_used,
        )
        if pointer
    ]
    assert len(pointers) > 5
    assert set(pointers) <= ids
