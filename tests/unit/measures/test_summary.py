"""All measures of a relationship together."""

from services.projector.domain.identity import Link, identities
from services.projector.domain.measures.incidents import IncidentState
from services.projector.domain.measures.obligations import State
from services.projector.domain.measures.ratio import Said
from services.projector.domain.measures.rhythm import Overdue
from services.projector.domain.measures.stage import Stage
from services.projector.domain.measures.summary import summary
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, POLICY, SIDES, ann_and_bob, day

STORY = [
    touch(1, "meeting.in_person", "2026-01-10T09:00:00", mutual=True, depth=1, live_minutes=60),
    touch(2, "channel.accepted", "2026-01-12T09:00:00", channel="linkedin", **BOBS),
    touch(3, "promise.made", "2026-01-20T09:00:00", due_on=day("2026-02-01")),
    touch(4, "promise.kept", "2026-01-30T09:00:00", fulfils=uuid(3)),
    touch(5, "incident", "2026-03-01T09:00:00", severity=2, channel="phone", **BOBS),
    touch(6, "social.like", "2026-03-20T09:00:00", channel="linkedin"),
]


def test_it_says_everything_of_one_day_under_one_policy() -> None:
    told = summary(ann_and_bob(STORY, "2026-03-31", tiers={"bob": "close"}))

    assert (told.on, told.policy) == (day("2026-03-31"), POLICY.label)
    assert (told.a, told.b, told.sides, told.sideless) == ("ann", "bob", SIDES, ())
    assert told.evidence.contact_days == 6
    assert told.stage.stage is Stage.ACQUAINTANCE
    assert told.rung.rung == 2
    assert told.rhythm.overdue is Overdue.NO
    assert [i.state for i in told.incidents] == [IncidentState.OPEN]
    assert [o.state for o in told.obligations] == [State.KEPT]
    assert told.velocity.buffer_mp == told.standing.buffer_mp
    assert told.trust.reliability == told.reliability.ours
    assert told.effort.by_a.live == 60


def test_a_person_nobody_has_touched_gives_an_empty_answer() -> None:
    told = summary(ann_and_bob([], "2026-03-31", sides={}))

    assert told.evidence.contact_days == 0
    assert (told.standing.know_mp, told.standing.buffer_mp) == (0, 0)
    assert told.sideless == ("ann", "bob")
    assert told.stage.stage is None
    assert told.care_share.share.said is Said.TOO_LITTLE_EVIDENCE
    assert told.proactivity.proactive.said is Said.NO_SIDE
    assert (told.incidents, told.obligations, told.positive.touches) == ((), (), ())


def test_two_ids_of_one_human_are_summed_up_as_one() -> None:
    link = Link(event_id=uuid(99), position=99, a="ann", b="anna", strong=True)
    annas = touch(7, "call", "2026-03-30T09:00:00", initiator="anna")

    told = summary(ann_and_bob([*STORY, annas], "2026-03-31", humans=identities([link])))

    assert told.evidence.contact_days == 7
    assert told.evidence.last_day == annas.day
    assert annas in told.positive.inbound["bob"]
