"""Days of Ann, who is ours, and Bob, who is not, and what asks for Ann's attention on them."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.projector.domain.attention.day import AttentionDay, attention_day
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.surroundings import surroundings_of
from services.projector.domain.attention.turn import ChangeKind, turn_day
from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.measures.view import Side, view_of
from services.projector.domain.people.affiliations import NO_AFFILIATIONS, Affiliations
from services.projector.domain.people.descriptions import Description, descriptions
from services.runtime.clock import day_of, instant_from_iso
from services.runtime.policy import Policy, default_policy
from tests.unit.domain.people import uuid

POLICY = default_policy()
SIDES = {"ann": Side.INTERNAL, "bob": Side.EXTERNAL}
OURS = {"ann": Side.INTERNAL, "bob": Side.INTERNAL}
BOBS: dict[str, Any] = {"initiator": "bob", "counterpart": "ann"}


def instant(text: str) -> int:
    return instant_from_iso(f"{text}Z")


def day(text: str) -> int:
    """A day like 2026-05-01."""
    return day_of(instant(f"{text}T00:00:00"))


def the_day(
    touchpoints: Iterable[Touchpoint],
    on: str | int,
    *,
    sides: Mapping[str, Side] = SIDES,
    tiers: Mapping[str, str] | None = None,
    teams: Mapping[str, str] | None = None,
    policy: Policy = POLICY,
    affiliations: Affiliations = NO_AFFILIATIONS,
    pairs: Iterable[Pair] = (("ann", "bob"),),
    **around: Any,
) -> AttentionDay:
    """The state of a day: the whole of it, unless `at_us` says otherwise."""
    asked = on if isinstance(on, int) else day(on)
    touchpoints = list(touchpoints)
    told = [
        Description(
            event_id=uuid(8000 + n),
            position=n,
            instant_us=instant("2000-01-01T00:00:00"),
            party=person,
            side=side,
            team=(teams or {}).get(person, ""),
        )
        for n, (person, side) in enumerate(sorted(sides.items()))
    ]
    surroundings = surroundings_of(
        policy, asked, affiliations=affiliations, descriptions=descriptions(told), **around
    )
    views = [
        view_of(touchpoints, policy, asked, pair, sides=sides, tiers=tiers or {}) for pair in pairs
    ]
    return attention_day(views, surroundings)


def of_rule(day_asked: AttentionDay, rule: Rule) -> list[Item]:
    return [item for item in day_asked.items if item.rule is rule]


def found(
    rule: Rule, touchpoints: Iterable[Touchpoint], on: str | int, **around: Any
) -> list[Item]:
    """The items of a rule on a day."""
    return of_rule(the_day(touchpoints, on, **around), rule)


def cleared(rule: Rule, before: AttentionDay, after: AttentionDay) -> Reason | None:
    """Why the turn to a later day cleared the one item of a rule; None when it did not."""
    assert len(of_rule(before, rule)) == 1
    changes = turn_day(turn_day({}, before).open_items, after).changes
    reasons = [
        change.reason
        for change in changes
        if change.kind is ChangeKind.CLEARED and change.item.rule is rule
    ]
    assert len(reasons) <= 1
    return reasons[0] if reasons else None
