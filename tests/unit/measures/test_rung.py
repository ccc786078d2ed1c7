"""The closeness ladder: in person, phone and mail 0, linkedin 2, x 3, facebook and others 4."""

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.rung import Channel, rung
from tests.unit.domain.people import touch
from tests.unit.measures.views import BOBS, ann_and_bob, day

ON = "2026-05-31"


def on_channel(number: int, kind: str, channel: str, at: str, **fields: object) -> Touchpoint:
    return touch(number, kind, f"{at}T09:00:00", channel=channel, **fields)


ACCEPTED = on_channel(1, "channel.accepted", "linkedin", "2026-03-01", **BOBS)


def test_nothing_on_a_channel_is_no_rung_and_the_first_above_the_ground_is_next() -> None:
    told = rung(ann_and_bob([touch(1, "call", "2026-05-01T09:00:00")], ON))

    assert (told.rung, told.open_channels, told.stale) == (None, (), False)
    assert (told.next_rung, told.next_channels, told.next_untried) == (2, ("linkedin",), True)


def test_an_accepted_invitation_reaches_the_rung_and_the_next_is_untried() -> None:
    told = rung(ann_and_bob([ACCEPTED], ON))

    assert (told.rung, told.open_channels) == (2, ("linkedin",))
    assert told.last_used_day == day("2026-03-01")
    assert (told.next_rung, told.next_channels, told.next_untried) == (3, ("x",), True)


def test_use_reaches_a_rung_too_but_neither_complaints_nor_broadcasts_do() -> None:
    message = on_channel(2, "message.personal", "whatsapp", "2026-04-01")
    complaint = on_channel(3, "incident", "x", "2026-04-02", severity=1, **BOBS)
    newsletter = on_channel(4, "email.bulk", "email", "2026-04-03")

    told = rung(ann_and_bob([ACCEPTED, message, complaint, newsletter], ON))

    assert (told.rung, told.open_channels) == (4, ("whatsapp",))
    assert [channel.name for channel in told.channels] == ["linkedin", "whatsapp"]
    assert (told.next_rung, told.next_channels, told.next_untried) == (None, (), False)


def test_a_removed_channel_falls_back_to_the_highest_that_is_open() -> None:
    followed = on_channel(2, "channel.followed", "x", "2026-04-01")
    removed = on_channel(3, "channel.removed", "x", "2026-04-20", **BOBS)

    told = rung(ann_and_bob([ACCEPTED, followed, removed], ON))

    assert told.rung == 2
    assert told.channels[1] == Channel("x", 3, False, day("2026-04-01"))
    # The next rung was tried and given up: nothing to suggest.
    assert (told.next_rung, told.next_untried) == (3, False)
    # Before the removal it was open.
    assert rung(ann_and_bob([ACCEPTED, followed, removed], "2026-04-19")).rung == 3


def test_use_after_a_removal_opens_the_channel_again() -> None:
    removed = on_channel(2, "channel.removed", "linkedin", "2026-04-01")
    again = on_channel(3, "social.comment", "linkedin", "2026-05-01")

    assert rung(ann_and_bob([ACCEPTED, removed], ON)).rung is None
    assert rung(ann_and_bob([ACCEPTED, removed, again], ON)).rung == 2


def test_a_rung_is_stale_when_none_of_it_was_used_in_the_last_180_days() -> None:
    # 2026-08-28 is 180 days after 2026-03-01: the last 180 days begin on 2026-03-02.
    assert rung(ann_and_bob([ACCEPTED], "2026-08-27")).stale is False
    assert rung(ann_and_bob([ACCEPTED], "2026-08-28")).stale is True

    facebook = on_channel(2, "channel.accepted", "facebook", "2026-03-01")
    instagram = on_channel(3, "social.like", "instagram", "2026-03-02")
    told = rung(ann_and_bob([facebook, instagram], "2026-08-28"))
    assert (told.open_channels, told.stale) == (("facebook", "instagram"), False)


def test_a_channel_the_policy_does_not_have_is_on_no_rung() -> None:
    told = rung(ann_and_bob([on_channel(1, "channel.accepted", "myspace", "2026-03-01")], ON))

    assert (told.rung, told.channels) == (None, ())
