"""Overdue, and silent after the sale."""

from services.projector.domain.attention.items import Reason, Rule
from services.runtime.policy import Audience, Initiative
from tests.unit.attention.days import BOBS, OURS, cleared, day, found, the_day
from tests.unit.domain.people import touch, uuid

CALL = touch(1, "call", "2026-01-01T10:00:00")
CLOSE = {"bob": "close"}
SALE = touch(2, "transaction", "2026-01-10T10:00:00")
MACHINE = touch(3, "email.one_to_one", "2026-02-10T09:00:00", initiative=Initiative.AUTOMATED)
CIRCULAR = touch(4, "call", "2026-02-10T09:00:00", audience=Audience.MANY)
REPLY = touch(5, "email.one_to_one", "2026-02-10T09:00:00", **BOBS)


def test_contact_is_overdue_on_the_day_after_the_tiers_ideal_and_not_before() -> None:
    # close: 30 days; one contact makes no rhythm of its own.
    assert found(Rule.OVERDUE, [CALL], "2026-01-31", tiers=CLOSE) == []
    (item,) = found(Rule.OVERDUE, [CALL], "2026-02-01", tiers=CLOSE)

    assert (item.person, item.about, item.pair) == ("ann", "relationships/ann~bob", ("ann", "bob"))
    assert item.event_ids == (uuid(1),)
    assert item.why == "no contact for 31 days; 30 would have been in time"
    assert (item.number("silent_days"), item.number("red")) == (31, 0)


def test_from_amber_to_red_it_is_the_same_item() -> None:
    (amber,) = found(Rule.OVERDUE, [CALL], "2026-02-15", tiers=CLOSE)
    (red,) = found(Rule.OVERDUE, [CALL], "2026-02-16", tiers=CLOSE)

    assert amber.item == red.item
    assert (amber.number("red"), red.number("red")) == (0, 1)
    assert red.why == "no contact for 46 days; the tier allows 45 at most"


def test_any_counted_contact_by_either_clears_overdue_and_a_machine_does_not() -> None:
    before = the_day([CALL], "2026-02-09", tiers=CLOSE)

    def after(*more: object) -> Reason | None:
        touches = [CALL, *more]
        return cleared(Rule.OVERDUE, before, the_day(touches, "2026-02-10", tiers=CLOSE))  # type: ignore[arg-type]

    assert after(REPLY) is Reason.CONTACT
    assert after(MACHINE) is None
    assert after(CIRCULAR) is None
    assert after(touch(6, "transaction", "2026-02-10T09:00:00")) is None


def test_a_silence_that_begins_later_is_another_item() -> None:
    later = touch(6, "call", "2026-02-05T10:00:00")
    (first,) = found(Rule.OVERDUE, [CALL], "2026-03-20", tiers=CLOSE)
    (second,) = found(Rule.OVERDUE, [CALL, later], "2026-05-20", tiers=CLOSE)

    assert first.item != second.item


def test_another_tier_or_side_changes_what_is_so_and_nobody_was_in_touch() -> None:
    before = the_day([CALL], "2026-02-09", tiers=CLOSE)

    assert cleared(Rule.OVERDUE, before, the_day([CALL], "2026-02-10", tiers={"bob": "wide"})) is (
        Reason.CHANGED
    )
    nobody = the_day([CALL], "2026-02-10", sides={}, tiers=CLOSE)
    assert cleared(Rule.OVERDUE, before, nobody) is Reason.CHANGED
    assert cleared(Rule.OVERDUE, before, the_day([], "2026-02-10", tiers=CLOSE)) is (
        Reason.WITHDRAWN
    )


def test_between_two_of_ours_both_are_asked_and_between_strangers_nobody() -> None:
    both = found(Rule.OVERDUE, [CALL], "2026-02-01", tiers=CLOSE, sides=OURS)

    assert sorted(item.person for item in both) == ["ann", "bob"]
    assert len({item.item for item in both}) == 2
    assert found(Rule.OVERDUE, [CALL], "2026-02-01", tiers=CLOSE, sides={}) == []


def test_thirty_days_after_a_sale_without_contact_and_not_after_twenty_nine() -> None:
    assert found(Rule.SILENT_AFTER_SALE, [CALL, SALE], "2026-02-08") == []
    (item,) = found(Rule.SILENT_AFTER_SALE, [CALL, SALE], "2026-02-09")

    assert item.event_ids == (uuid(2),)
    assert item.number("silent_days") == 30


def test_a_call_after_the_sale_is_no_silence_and_one_at_its_very_instant_is() -> None:
    same_day = touch(6, "call", "2026-01-10T10:00:01")
    same_instant = touch(6, "call", "2026-01-10T10:00:00")

    assert found(Rule.SILENT_AFTER_SALE, [SALE, same_day], "2026-03-09") == []
    assert len(found(Rule.SILENT_AFTER_SALE, [SALE, same_instant], "2026-03-09")) == 1


def test_another_sale_neither_clears_nor_starts_the_clock_again() -> None:
    more = touch(6, "transaction", "2026-02-10T09:00:00")
    before = the_day([SALE], "2026-02-09")

    assert cleared(Rule.SILENT_AFTER_SALE, before, the_day([SALE, more], "2026-02-10")) is None
    (item,) = found(Rule.SILENT_AFTER_SALE, [SALE, more], "2026-02-10")
    assert (item.number("silent_days"), item.number("sales")) == (31, 2)
    assert cleared(Rule.SILENT_AFTER_SALE, before, the_day([SALE, MACHINE], "2026-02-10")) is None
    assert cleared(Rule.SILENT_AFTER_SALE, before, the_day([SALE, REPLY], "2026-02-10")) is (
        Reason.CONTACT
    )


def test_what_is_at_stake_is_the_buffer_of_today_less_that_of_two_weeks_on() -> None:
    (item,) = found(Rule.OVERDUE, [CALL], "2026-02-01", tiers=CLOSE)

    # 31 days on: 5000 x 2^(-31/90) = 3938.06; 45 days on: 5000 x 2^(-1/2) = 3535.53.
    assert item.at_stake_mp == 3938 - 3536
    assert day("2026-02-01") - CALL.day == 31
