"""What is derived of a relationship is a function of a set of facts, and of no later ones."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.effective import effective
from services.projector.domain.facts import Fact, Touchpoint
from services.projector.domain.identity import NO_LINKS, Link, identities
from services.projector.domain.measures.effort import effort_of_person
from services.projector.domain.measures.ratio import Ratio
from services.projector.domain.measures.summary import RelationshipSummary, summary
from services.projector.domain.measures.view import Side, view_of
from services.runtime.policy import default_policy
from tests.property.strategies import DAYS, SEEDS, event_id, histories, one_pair

POLICY = default_policy()
quick = settings(max_examples=60, deadline=None)
SIDES = {"a": Side.INTERNAL, "b": Side.EXTERNAL, "c": Side.INTERNAL}
TIERS = {"a": "inner", "b": "close"}
_KINDS = (
    "promise.made",
    "promise.kept",
    "promise.broken",
    "need.stated",
    "need.met",
    "channel.accepted",
    "channel.removed",
    "message.personal",
    "proposal",
)


def enriched(touchpoints: list[Touchpoint], seed: int) -> list[Touchpoint]:
    """The same, with obligations, depths, occasions and channels strewn in."""
    random = Random(seed)
    ids = [touch.event_id for touch in touchpoints]
    return [
        touch._replace(
            kind=random.choice((touch.kind, *_KINDS)) if touch.severity is None else touch.kind,
            depth=random.choice((None, 0, 1, 2, 3)),
            occasion_id=random.choice(("", "", "x", "y")),
            fulfils=random.choice(("", *ids)),
            due_on=random.choice((None, touch.day, touch.day + 30)),
            channel=random.choice((touch.channel, "linkedin", "whatsapp")),
            follow_up_minutes=random.choice((None, 5)),
        )
        for touch in touchpoints
    ]


def told(touchpoints: list[Touchpoint], on: int) -> RelationshipSummary:
    view = view_of(
        touchpoints, POLICY, on, ("b", "a"), sides=SIDES, tiers=TIERS, settling=touchpoints
    )
    return summary(view)


@quick
@given(one_pair(), SEEDS, DAYS, st.randoms(use_true_random=False))
def test_no_measure_depends_on_the_order_of_touchpoints(
    touchpoints: list[Touchpoint], seed: int, on: int, random: Random
) -> None:
    rich = enriched(touchpoints, seed)
    shuffled = random.sample(rich, len(rich))

    assert told(shuffled, on) == told(rich, on)


@quick
@given(one_pair(), SEEDS, DAYS)
def test_later_touchpoints_never_change_what_an_earlier_day_says(
    touchpoints: list[Touchpoint], seed: int, on: int
) -> None:
    rich = enriched(touchpoints, seed)
    known_then = [touch for touch in rich if touch.day <= on]

    assert told(rich, on) == told(known_then, on)
    # Nor does asking the whole history about another day first.
    later = view_of(rich, POLICY, on + 500, ("a", "b"), sides=SIDES, tiers=TIERS, settling=rich)
    summary(later)
    assert summary(later.as_of(on)) == told(rich, on)


@quick
@given(histories(), DAYS, st.randoms(use_true_random=False))
def test_facts_in_any_order_and_twice_say_the_same(
    facts: list[Fact], on: int, random: Random
) -> None:
    again = facts + facts[::2]
    random.shuffle(again)

    assert told(list(effective(again).touchpoints), on) == told(
        list(effective(facts).touchpoints), on
    )


@quick
@given(histories(), DAYS, st.integers(0, 30))
def test_what_was_known_at_a_position_is_what_is_said_as_known_then(
    facts: list[Fact], on: int, position: int
) -> None:
    recorded = [fact for fact in facts if fact.position <= position]

    assert told(list(effective(facts, position).touchpoints), on) == told(
        list(effective(recorded).touchpoints), on
    )


@quick
@given(histories(), DAYS, st.randoms(use_true_random=False))
def test_the_minutes_of_a_person_do_not_depend_on_the_order_of_relationships(
    facts: list[Fact], on: int, random: Random
) -> None:
    rich = enriched(list(effective(facts).touchpoints), 1)
    views = [view_of(rich, POLICY, on, pair) for pair in (("a", "b"), ("a", "c"), ("b", "c"))]

    shuffled = random.sample(views, 3)
    assert effort_of_person("a", shuffled, 90) == effort_of_person("a", views, 90)


@quick
@given(histories(), DAYS)
def test_a_link_and_its_end_leave_no_trace(facts: list[Fact], on: int) -> None:
    touchpoints = list(effective(facts).touchpoints)
    link = Link(event_id=event_id(900), position=900, a="a", b="c", strong=True)
    linked = view_of(touchpoints, POLICY, on, ("c", "b"), humans=identities([link]))
    both = [view_of(touchpoints, POLICY, on, pair) for pair in (("a", "b"), ("b", "c"))]

    assert linked.buffer_on(on + 7) == (
        both[0].balance_on(on + 7) + both[1].balance_on(on + 7)
    ).buffer(POLICY)
    assert set(linked.contact_days) == {*both[0].contact_days, *both[1].contact_days}
    assert linked.humans is not NO_LINKS


@quick
@given(one_pair(), SEEDS, DAYS)
def test_figures_stay_within_their_bounds(
    touchpoints: list[Touchpoint], seed: int, on: int
) -> None:
    said = told(enriched(touchpoints, seed), on)

    shares: list[Ratio] = [
        said.care_share.share,
        said.reciprocity.share,
        said.proactivity.proactive,
        said.proactivity.responsive,
        said.proactivity.reactive,
        said.reliability.ours.share,
        said.trust.intimacy.share,
        said.trust.self_orientation.share,
    ]
    for share in shares:
        assert share.per_mille is None or 0 <= share.per_mille <= 1000
    if said.proactivity.proactive.exact is not None:
        modes = (said.proactivity.proactive, said.proactivity.responsive, said.proactivity.reactive)
        assert sum(mode.exact or 0 for mode in modes) == 1
    assert 0 <= said.little_things.weeks <= said.little_things.of_weeks
    assert len(said.rhythm.gaps_days) <= POLICY.measures.rhythm_gaps
    for incident in said.incidents:
        assert [point.day for point in incident.curve] == sorted({p.day for p in incident.curve})
        assert incident.curve[-1].day <= on
