"""Stage: how far a relationship has come. Source: the domain contract, section 6."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.projector.domain.measures.view import RelationshipView


class Stage(StrEnum):
    """The stages, lowest first. A burst is not a stage: each beyond the first takes time."""

    CONTACT = "CONTACT"
    ACQUAINTANCE = "ACQUAINTANCE"
    ENGAGED = "ENGAGED"
    PARTNER = "PARTNER"


@dataclass(frozen=True, slots=True)
class Missing:
    """What the next stage still takes; 0 where nothing.

    `over_days` is how much further apart the first and the last contact-day must be; `depth` the
    depth one contact must have, 0 when one had it.
    """

    stage: Stage
    contact_days: int
    over_days: int
    depth: int
    buffer_mp: int


@dataclass(frozen=True, slots=True)
class StageMeasure:
    """The highest stage reached, None without contact, and what it rests on.

    `over_days` lie between the first and the last contact-day; `depth` is the deepest recorded of
    a counted contact. `missing` is None at the top.
    """

    stage: Stage | None
    contact_days: int
    over_days: int
    depth: int | None
    buffer_mp: int
    missing: Missing | None


class _Rule(NamedTuple):
    stage: Stage
    contact_days: int
    over_days: int = 0
    depth: int = 0
    buffer_mp: int | None = None


def stage(view: RelationshipView) -> StageMeasure:
    """The stage of the day; it may fall again, as the buffer does.

    The rounded buffer, the one people see, is held against the bounds.
    """
    days = view.contact_days
    depths = [touch.depth for touch in view.counted if touch.depth is not None]
    depth, buffer_mp = max(depths, default=None), view.buffer_mp
    over_days = days[-1] - days[0] if days else 0
    reached: Stage | None = None
    missing: Missing | None = None
    for rule in reversed(_rules(view)):
        lacking = Missing(
            stage=rule.stage,
            contact_days=max(rule.contact_days - len(days), 0),
            over_days=max(rule.over_days - over_days, 0),
            depth=rule.depth if rule.depth > (depth or 0) else 0,
            buffer_mp=0 if rule.buffer_mp is None else max(rule.buffer_mp - buffer_mp, 0),
        )
        if not (lacking.contact_days or lacking.over_days or lacking.depth or lacking.buffer_mp):
            reached = rule.stage
            break
        missing = lacking
    return StageMeasure(reached, len(days), over_days, depth, buffer_mp, missing)


def _rules(view: RelationshipView) -> list[_Rule]:
    stages = view.policy.measures.stages
    first, engaged, partner = stages.acquaintance, stages.engaged, stages.partner
    return [
        _Rule(Stage.CONTACT, 1),
        _Rule(Stage.ACQUAINTANCE, first.contact_days, first.over_days),
        _Rule(
            Stage.ENGAGED, engaged.contact_days, engaged.over_days, engaged.depth, engaged.buffer
        ),
        _Rule(
            Stage.PARTNER, partner.contact_days, partner.over_days, partner.depth, partner.buffer
        ),
    ]
