"""Which touchpoints count, once voids and corrections are applied, in whatever order they came."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.projector.domain.facts import Correction, Fact, Touchpoint, Void


class Reason(StrEnum):
    """Why an event has no effect (now)."""

    # A void took it back, or its correction is without an original since that was voided.
    VOIDED = "VOIDED"
    ORIGINAL_VOIDED = "ORIGINAL_VOIDED"
    # A valid correction of a higher position replaces the same touchpoint.
    SUPERSEDED = "SUPERSEDED"
    # Its target is not known; it takes effect when that arrives.
    TARGET_UNKNOWN = "TARGET_UNKNOWN"
    # Wrong for ever: refused by the ledger, had the target been there first.
    VOID_OF_A_VOID = "VOID_OF_A_VOID"
    OTHER_PEOPLE = "OTHER_PEOPLE"
    REPLACES_A_CORRECTION = "REPLACES_A_CORRECTION"
    NOT_A_TOUCHPOINT = "NOT_A_TOUCHPOINT"


@dataclass(frozen=True, slots=True)
class Ineffective:
    """An event without effect, and why."""

    event_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class EffectiveFacts:
    """What counts, by (occurred_at, event_id); what does not, by event id."""

    touchpoints: tuple[Touchpoint, ...]
    ineffective: tuple[Ineffective, ...]


def effective(facts: Iterable[Fact], known_at: int | None = None) -> EffectiveFacts:
    """The touchpoints in effect, given facts in any order, duplicates allowed.

    Facts of a position beyond `known_at` are as if they had not been recorded. All facts about one
    touchpoint must be among them: corrections and voids wherever their home is.
    """
    originals: dict[str, Touchpoint] = {}
    corrections: dict[str, Correction] = {}
    voids: dict[str, Void] = {}
    for fact in facts:
        if known_at is not None and fact.position > known_at:
            continue
        if isinstance(fact, Touchpoint):
            originals[fact.event_id] = fact
        elif isinstance(fact, Correction):
            corrections[fact.event_id] = fact
        else:
            voids[fact.event_id] = fact
    ineffective: list[Ineffective] = []
    voided = _voided(originals, corrections, voids, ineffective)
    in_force = _in_force(originals, corrections, voids, voided, ineffective)
    touchpoints = []
    for event_id, original in originals.items():
        if event_id in voided:
            ineffective.append(Ineffective(event_id, Reason.VOIDED))
        elif (correction := in_force.get(event_id)) is not None:
            touchpoints.append(_corrected(original, correction))
        else:
            touchpoints.append(original)
    touchpoints.sort(key=lambda touchpoint: touchpoint.order)
    ineffective.sort(key=lambda item: item.event_id)
    return EffectiveFacts(tuple(touchpoints), tuple(ineffective))


def _voided(
    originals: dict[str, Touchpoint],
    corrections: dict[str, Correction],
    voids: dict[str, Void],
    ineffective: list[Ineffective],
) -> set[str]:
    targets = set()
    for void in voids.values():
        if void.target in voids:
            ineffective.append(Ineffective(void.event_id, Reason.VOID_OF_A_VOID))
            continue
        if void.target not in originals and void.target not in corrections:
            ineffective.append(Ineffective(void.event_id, Reason.TARGET_UNKNOWN))
        targets.add(void.target)
    return targets


def _in_force(
    originals: dict[str, Touchpoint],
    corrections: dict[str, Correction],
    voids: dict[str, Void],
    voided: set[str],
    ineffective: list[Ineffective],
) -> dict[str, Correction]:
    """The correction in force by the event id of its original: the highest position wins."""
    in_force: dict[str, Correction] = {}
    for correction in sorted(corrections.values(), key=lambda c: c.position, reverse=True):
        original = originals.get(correction.replaces)
        if correction.event_id in voided:
            reason = Reason.VOIDED
        elif correction.replaces in corrections:
            reason = Reason.REPLACES_A_CORRECTION
        elif correction.replaces in voids:
            reason = Reason.NOT_A_TOUCHPOINT
        elif original is None:
            reason = Reason.TARGET_UNKNOWN
        elif original.pair != correction.replacement.pair:
            reason = Reason.OTHER_PEOPLE
        elif original.event_id in voided:
            reason = Reason.ORIGINAL_VOIDED
        elif original.event_id in in_force:
            reason = Reason.SUPERSEDED
        else:
            in_force[original.event_id] = correction
            continue
        ineffective.append(Ineffective(correction.event_id, reason))
    return in_force


def _corrected(original: Touchpoint, correction: Correction) -> Touchpoint:
    replacement = correction.replacement
    return replacement._replace(
        event_id=original.event_id,
        position=original.position,
        corrected_by=correction.event_id,
        instant_us=original.instant_us if correction.keeps_instant else replacement.instant_us,
    )
