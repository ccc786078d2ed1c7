"""Every measure of a relationship over real gRPC and real Postgres, each worked by hand.

All kinds used here have a half-life of 90 days, and things happen whole half-lives before
2026-06-01, so that what is left of them is read off:

    day         ago  what                               posted          left on 2026-06-01
    2025-06-06  360  proposal, linkedin, mine           6000 /    0      375 /    0   (1/16)
    2025-09-04  270  an event attended together         3000 / 6000      375 /  750   (1/8)
    2025-12-03  180  greeting, mine                        0 / 3000        0 /  750   (1/4)
    2026-03-03   90  call of bob's, depth 2             4000 / 4000     2000 / 2000   (1/2)
    2026-06-01    0  negotiation, 40 min of prep        7000 /    0     7000 /    0
                                                                KNOW    9750   CARE 3500
"""

import json
from collections.abc import AsyncIterator

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import relationship_service_pb2 as wire

from services.runtime.policy import default_policy
from tests.contract.relationships import as_of, ask, measured
from tests.support.databases import Database
from tests.support.views import (
    Running,
    adopt,
    date_of,
    described,
    link,
    running_projector,
    touch,
)


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def five_half_lives(projector: Running) -> None:
    """The history above, under a policy whose velocity looks a half-life back and ahead."""
    document = json.loads(default_policy().canonical_json)
    document |= {"policy": "ours", "version": 1}
    document["measures"]["velocity_days"] = 90
    await projector.add(adopt(json.dumps(document)), "2026-05-01T00:00:00Z")
    await projector.add(
        described("people/me", side=people_pb2.SIDE_INTERNAL), "2025-01-01T00:00:00Z"
    )
    await projector.add(
        described("people/bob", side=people_pb2.SIDE_EXTERNAL, tier="close"), "2025-01-01T00:00:00Z"
    )
    at = "{}T09:00:00Z".format
    await projector.add(touch("me", "bob", "proposal", channel="linkedin"), at("2025-06-06"))
    await projector.add(
        touch("me", "bob", "event.attended_together", mutual=True), at("2025-09-04")
    )
    await projector.add(touch("me", "bob", "greeting.written"), at("2025-12-03"))
    await projector.add(touch("bob", "me", "call", depth=2), at("2026-03-03"))
    minutes = touchpoint_pb2.Minutes(prep=40)
    await projector.add(touch("me", "bob", "negotiation", minutes=minutes), at("2026-06-01"))
    await projector.settle()


async def test_every_measure_is_what_the_arithmetic_says(projector: Running) -> None:
    await five_half_lives(projector)
    found = await measured(projector, "me~bob")
    # 3500 + 9750 / 4 = 5937.5: half to even.
    assert found.balance.relationship == "relationships/bob~me"
    assert (found.balance.know_mp, found.balance.care_mp) == (9750, 3500)
    assert found.balance.buffer_mp == 5938
    # 3500 / 13250 = 264.15 per mille, not below 200.
    assert found.care_share == wire.Share(
        per_mille=264, numerator=3500, denominator=13250, said=wire.SAID_KNOWN
    )
    assert not found.know_only
    # The 90 days begin on 2026-03-04: of mine there is the negotiation alone. (1+1)/(1+3).
    assert found.proactivity == wire.Proactivity(
        proactive_days=1,
        proactive_per_mille=500,
        responsive_per_mille=250,
        reactive_per_mille=250,
        said=wire.SAID_KNOWN,
    )
    # bob: 2000+2000 left of the call, 1125 of what was mutual; me: 375 + 1125 + 750 + 7000.
    # 2 * 5125 / 14375 would be 713.04 per mille, on 5 touches: the policy asks for 6.
    assert found.reciprocity == wire.Reciprocity(
        given_by_a_mp=5125,
        given_by_b_mp=9250,
        touches=5,
        said=wire.SAID_TOO_LITTLE_EVIDENCE,
    )
    assert found.effort_by_a == wire.Effort()
    assert found.effort_by_b == wire.Effort(prep=40)
    assert found.effort_window_days == 90
    # Nothing promised: (0+1)/(0+0+2).
    assert found.reliability == wire.Share(
        per_mille=500, numerator=1, denominator=2, said=wire.SAID_KNOWN
    )
    bars = {bar.name: (bar.value, dict(bar.counts)) for bar in found.trust}
    assert bars == {
        "credibility": (9750, {"touches": 4}),
        "reliability": (500, {"kept": 0, "broken": 0}),
        "intimacy": (1000, {"care_mp": 3500, "deep": 1, "with_depth": 1, "contacts": 5}),
        "self_orientation": (250, {"asks": 0, "proposals": 1, "outbound": 4, "left_out": 0}),
    }
    # 90 days ago: KNOW 750+750+4000 = 5500, CARE 1500+1500+4000 = 7000, Bf 8375.
    # 90 days ahead: KNOW 4875, CARE 1750, Bf 2968.75 -> 2969.
    assert found.velocity == wire.Velocity(past_mp=-2437, ahead_mp=-2969, window_days=90)
    # The one little thing, the greeting, is half a year old.
    assert found.little_things == wire.Share(
        per_mille=0, numerator=0, denominator=12, said=wire.SAID_KNOWN
    )
    assert found.rung == wire.Rung(
        rung=2,
        channel="linkedin",
        last_used_on=date_of("2025-06-06"),
        stale=True,
        next_channel="x",
    )
    # Four gaps of 90 days.
    assert found.rhythm == wire.Rhythm(
        median_gap_half_days=180, silent_days=0, overdue=wire.OVERDUE_NONE, tier="close"
    )
    # Engaged takes 8 contact-days and a buffer of 10000.
    assert found.stage == wire.STAGE_ACQUAINTANCE
    assert found.next_stage == wire.NextStage(
        stage=wire.STAGE_ENGAGED, contact_days=3, buffer_mp=4062
    )
    assert found.quadrant == wire.QUADRANT_NEITHER
    assert found.evidence == wire.Evidence(contact_days=5, age_days=360)
    # Severity 1 takes 3000, severity 2 takes 10000.
    assert found.survives_severity == 1
    assert found.positive_touches == 5
    assert not found.open_incidents
    assert not found.open_obligations


async def test_a_pair_nobody_has_touched_is_empty_and_says_it_has_no_evidence(
    projector: Running,
) -> None:
    answer = await ask(
        projector,
        "GetRelationship",
        wire.GetRelationshipRequest(relationship="relationships/nobody~noone"),
    )
    found = answer.relationship
    assert (found.balance.know_mp, found.balance.care_mp, found.balance.buffer_mp) == (0, 0, 0)
    assert found.evidence == wire.Evidence(
        too_little=True, without_side=["people/nobody", "people/noone"]
    )
    assert found.stage == wire.STAGE_NONE
    assert found.quadrant == wire.QUADRANT_UNSPECIFIED
    assert found.care_share == wire.Share(said=wire.SAID_TOO_LITTLE_EVIDENCE)
    assert found.proactivity.said == wire.SAID_NO_SIDE
    assert not found.rung.HasField("rung")
    assert not found.rhythm.HasField("silent_days")
    assert answer.computed.position == 0
    assert answer.computed.policy.startswith("default@1#")


async def test_two_ids_of_one_human_have_an_empty_relationship(projector: Running) -> None:
    await projector.add(touch("amy", "amy2", "call"))
    await projector.add(link("amy", "amy2"))
    await projector.settle()
    found = await measured(projector, "amy~amy2")
    assert found.balance.relationship == "relationships/amy~amy2"
    assert found.balance.know_mp == 0
    assert found.evidence.contact_days == 0


async def test_linked_ids_are_measured_as_one_human(projector: Running) -> None:
    side = people_pb2.SIDE_INTERNAL
    await projector.add(described("people/zoe", side=side), "2026-01-01T00:00:00Z")
    await projector.add(touch("zoe", "bob", "call"), "2026-06-01T09:00:00Z")
    await projector.add(touch("bob", "zoe.home", "call"), "2026-05-31T09:00:00Z")
    await projector.add(link("zoe", "zoe.home"))
    await projector.settle()
    found = await measured(projector, "bob~zoe.home")
    assert found.balance.relationship == "relationships/bob~zoe"
    assert found.evidence.contact_days == 2
    assert found.evidence.without_side == ["people/bob"]
    apart = await measured(projector, "bob~zoe.home", known_at_position=3)
    assert apart.balance.relationship == "relationships/bob~zoe.home"
    assert apart.evidence.contact_days == 1


async def test_another_days_sides_and_tiers_are_those_in_force_then(projector: Running) -> None:
    await projector.add(touch("me", "bob", "call"), "2026-01-01T09:00:00Z")
    await projector.add(described("people/bob", tier="inner"), "2026-02-01T00:00:00Z")
    await projector.add(described("people/bob", tier="wide"), "2026-04-01T00:00:00Z")
    await projector.settle()
    # 59 days of silence: red for the inner tier (14), nothing for the wide one (365).
    then = await measured(projector, "bob~me", "2026-03-01")
    assert (then.rhythm.tier, then.rhythm.overdue) == ("inner", wire.OVERDUE_RED)
    now = await measured(projector, "bob~me")
    assert (now.rhythm.tier, now.rhythm.overdue) == ("wide", wire.OVERDUE_NONE)
    untold = await measured(projector, "bob~me", "2026-03-01", known_at_position=1)
    assert (untold.rhythm.tier, untold.rhythm.overdue) == ("", wire.OVERDUE_NONE)


async def test_a_promise_is_open_until_somebody_keeps_it_even_a_colleague(
    projector: Running,
) -> None:
    for name in ("me", "peer"):
        await projector.add(
            described(f"people/{name}", side=people_pb2.SIDE_INTERNAL), "2026-01-01T00:00:00Z"
        )
    promise = await projector.add(
        touch(
            "me",
            "bob",
            "promise.made",
            due_on=date_of("2026-05-10"),
            note="the plans",
            visibility=touchpoint_pb2.VISIBILITY_PRIVATE,
        ),
        "2026-05-01T09:00:00Z",
        by="people/me",
    )
    await projector.settle()
    (open_,) = (await measured(projector, "me~bob")).open_obligations
    assert (open_.event_id, open_.state, open_.by) == (promise, "overdue", "people/me")
    assert list(open_.owed_by) == ["people/me"]
    assert open_.due_on == date_of("2026-05-10")
    assert open_.note.text == "the plans"
    hidden = await ask(
        projector,
        "GetRelationship",
        wire.GetRelationshipRequest(relationship="relationships/bob~me"),
        principal="people/peer",
    )
    assert hidden.relationship.open_obligations[0].note.withheld
    await projector.add(
        touch("peer", "bob", "promise.kept", fulfils=promise), "2026-05-20T09:00:00Z"
    )
    await projector.settle()
    found = await measured(projector, "me~bob")
    assert not found.open_obligations
    # (1+1)/(1+0+2), if there were contact-days enough to say so.
    assert (found.reliability.numerator, found.reliability.denominator) == (2, 3)
    assert found.reliability.said == wire.SAID_TOO_LITTLE_EVIDENCE
    before = await measured(projector, "me~bob", "2026-05-15")
    assert [each.state for each in before.open_obligations] == ["overdue"]
    unknown = await measured(projector, "me~bob", known_at_position=3)
    assert [each.state for each in unknown.open_obligations] == ["overdue"]


async def test_a_comparison_adds_up_and_tells_decay_from_events(projector: Running) -> None:
    first = await projector.add(touch("me", "bob", "proposal"), "2026-03-03T09:00:00Z")
    second = await projector.add(touch("me", "bob", "greeting.written"), "2026-06-01T09:00:00Z")
    await projector.settle()
    answer = await ask(
        projector,
        "CompareBalances",
        wire.CompareBalancesRequest(
            relationship="relationships/bob~me", first_on=date_of("2026-03-03")
        ),
    )
    assert (answer.first.know_mp, answer.first.care_mp) == (6000, 0)
    assert (answer.second.know_mp, answer.second.care_mp) == (3000, 3000)
    assert answer.first.contact_days == 1
    told = {line.event_id: (line.group, line.know_mp, line.care_mp) for line in answer.lines}
    assert told == {
        first: (wire.CHANGE_GROUP_DECAY, -3000, 0),
        second: (wire.CHANGE_GROUP_NEW, 0, 3000),
    }
    same = await ask(
        projector,
        "CompareBalances",
        wire.CompareBalancesRequest(
            relationship="relationships/bob~me",
            first_on=date_of("2026-03-03"),
            as_of=as_of("2026-03-03"),
        ),
    )
    assert sum(line.know_mp for line in same.lines) == 0
