"""Builders: whose relationships stay when things go wrong. Source: the domain contract, section 6.

Never volume, never revenue. Only where the policy enables it, and never of a small group.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.projector.domain.collective.median import median
from services.projector.domain.collective.survival import BuilderPart, builder_part
from services.projector.domain.collective.wilson import wilson_lower_per_mille
from services.projector.domain.measures.view import RelationshipView, Side
from services.projector.domain.rounding import divide_half_even, round_half_even
from services.runtime.policy import Policy

PURPOSE: Final = (
    "Shows whose way of looking after people is worth learning from. Not for decisions about "
    "employment, pay or promotion: few incidents decide, and chance decides with them."
)


class Withheld(StrEnum):
    """Why there is no answer; the values are those of the service."""

    NOT_ENABLED = "not_enabled"
    GROUP_TOO_SMALL = "group_too_small"


@dataclass(frozen=True, slots=True)
class Builder:
    """An internal person, and how the relationships fared over the policy's window.

    `survived` of the `decided` incidents; open ones are counted in neither. `unproven` below the
    policy's number of decided incidents. `reciprocity` is the exact median over the relationships
    that have one. `gifts_mp` (gifts and compensation) are part of `outbound_mp`, the CARE posted by
    what the person gave. `parts` by counterpart, with the fate of every incident.
    """

    person: str
    survived: int
    decided: int
    open_incidents: int
    wilson_lower_per_mille: int | None
    unproven: bool
    reciprocity: Fraction | None
    teams_reached: int
    gifts_mp: int
    outbound_mp: int
    pleaser: bool
    parts: tuple[BuilderPart, ...]

    @property
    def relationships(self) -> int:
        """Relationships counted."""
        return len(self.parts)

    @property
    def survival(self) -> Fraction | None:
        """Incidents survived over those decided, exactly; None of none."""
        return Fraction(self.survived, self.decided) if self.decided else None

    @property
    def survival_per_mille(self) -> int | None:
        """The same, rounded once."""
        return divide_half_even(self.survived * 1000, self.decided) if self.decided else None

    @property
    def reciprocity_per_mille(self) -> int | None:
        """The median reciprocity, rounded once."""
        return None if self.reciprocity is None else round_half_even(self.reciprocity * 1000)


@dataclass(frozen=True, slots=True)
class Builders:
    """The builders of a group of `group` people: proven ones first, by rank; none if withheld."""

    builders: tuple[Builder, ...]
    withheld: Withheld | None
    group: int


def withheld(policy: Policy, group: Collection[str]) -> Withheld | None:
    """Why a group's builders may not be told, before anything is read."""
    rule = policy.measures.builders
    if not rule.enabled:
        return Withheld.NOT_ENABLED
    return Withheld.GROUP_TOO_SMALL if len(set(group)) < rule.min_group else None


def parts_of(views: Iterable[RelationshipView], group: Collection[str]) -> Iterable[BuilderPart]:
    """What relationships say about the internal people of a group; one view at a time."""
    for view in views:
        for person in view.pair:
            if person in group and view.side(person) is Side.INTERNAL:
                part = builder_part(view, person)
                if part is not None:
                    yield part


def builders(
    parts: Iterable[BuilderPart],
    group: Collection[str],
    teams: Mapping[str, str],
    policy: Policy,
) -> Builders:
    """The builders of a group of internal people (canonical ids), given what `parts_of` found.

    Ranked by Wilson's lower bound as people see it, per mille, then median reciprocity, teams
    reached, and id; unproven ones last, in the same order. `teams` are those of counterparts:
    who has none reaches none. People without a relationship that counts are not listed.
    """
    reason = withheld(policy, group)
    size = len(set(group))
    if reason is not None:
        return Builders((), reason, size)
    by_person: dict[str, dict[str, BuilderPart]] = {}
    for part in parts:
        if part.person in group:
            by_person.setdefault(part.person, {})[part.counterpart] = part
    found = {
        person: _builder(person, by_person[person], teams, policy) for person in sorted(by_person)
    }
    usual = median(b.survival for b in found.values() if b.survival is not None)
    ranked = sorted((_judged(b, usual, policy) for b in found.values()), key=_rank)
    return Builders(tuple(ranked), None, size)


def _builder(
    person: str, by_counterpart: Mapping[str, BuilderPart], teams: Mapping[str, str], policy: Policy
) -> Builder:
    parts = tuple(by_counterpart[counterpart] for counterpart in sorted(by_counterpart))
    survived = sum(part.survived for part in parts)
    decided = sum(part.decided for part in parts)
    reached = {teams.get(part.counterpart, "") for part in parts} - {""}
    return Builder(
        person=person,
        survived=survived,
        decided=decided,
        open_incidents=sum(part.open for part in parts),
        wilson_lower_per_mille=wilson_lower_per_mille(survived, decided),
        unproven=decided < policy.measures.builders.min_incidents,
        reciprocity=median(part.reciprocity for part in parts if part.reciprocity is not None),
        teams_reached=len(reached),
        gifts_mp=sum(part.gifts_mp for part in parts),
        outbound_mp=sum(part.outbound_mp for part in parts),
        pleaser=False,
        parts=parts,
    )


def _judged(builder: Builder, usual: Fraction | None, policy: Policy) -> Builder:
    """The same with `pleaser` told; of somebody unproven too little is known to say so."""
    if builder.unproven or builder.survival is None or usual is None:
        return builder
    share = policy.measures.builders.pleaser_share
    gives = builder.gifts_mp * 1000 > share * builder.outbound_mp
    return replace(builder, pleaser=gives and builder.survival < usual)


def _rank(builder: Builder) -> tuple[bool, int, Fraction, int, str]:
    bound = builder.wilson_lower_per_mille
    return (
        builder.unproven,
        1 if bound is None else -bound,
        Fraction(1) if builder.reciprocity is None else -builder.reciprocity,
        -builder.teams_reached,
        builder.person,
    )
