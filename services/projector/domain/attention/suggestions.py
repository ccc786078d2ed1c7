"""What to do at the next contact: the brief's last lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.projector.domain.attention.case import Case
from services.projector.domain.attention.day import most_at_stake_first
from services.projector.domain.attention.items import CLEARED_BY, Item, Rule
from services.projector.domain.measures.rhythm import Overdue, rhythm
from services.projector.domain.measures.rung import rung
from services.projector.domain.people.learned import LearnedFact, uses
from services.projector.domain.words import counted

USE_A_FACT: Final = "use_a_fact"
NEXT_RUNG: Final = "next_rung"
KEEP_THE_RHYTHM: Final = "keep_the_rhythm"
# What was promised or is wrong comes before what would be nice; the order within by what is at
# stake does not matter, it is one relationship.
_FIRST: Final = (
    Rule.INCIDENT_UNANSWERED,
    Rule.PROMISE_DUE,
    Rule.NO_FOLLOW_UP,
    Rule.DATE_COMING,
    Rule.FACT_DUE,
    Rule.SIGNAL_UNANSWERED,
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to do: an attention rule or one of the three words above, why, and the events."""

    rule: str
    why: str
    event_ids: tuple[str, ...]


def suggestions(case: Case, items: Iterable[Item], about: str) -> tuple[Suggestion, ...]:
    """What to do when meeting `about` (one of the two, canonical), the most urgent first.

    `items` are the attention items of the relationship and its organisation for who is going to
    meet them, of the same day; what several say is said once. Then a fact to use, the least used
    and newest; the next rung, when untried; and by when to be in touch again, unless it is late
    already.
    """
    found: dict[str, Suggestion] = {}
    ordered = sorted(most_at_stake_first(items), key=lambda item: _urgency(item.rule))
    for item in ordered:
        told = Suggestion(item.rule, f"{item.why}: {CLEARED_BY[item.rule]}", item.event_ids)
        found.setdefault(f"{item.rule} {item.event_ids}", told)
    extra = (_use_a_fact(case, about), _next_rung(case, found), _keep_the_rhythm(case))
    return (*found.values(), *(each for each in extra if each is not None))


def _urgency(rule: Rule) -> int:
    return _FIRST.index(rule) if rule in _FIRST else len(_FIRST)


def _use_a_fact(case: Case, about: str) -> Suggestion | None:
    facts = case.surroundings.facts.get(about, ())
    if not facts:
        return None

    def times_used(fact: LearnedFact) -> int:
        return len(uses(fact.event_id, case.view.counted, case.surroundings.facts_used))

    fact = min(facts, key=lambda fact: (times_used(fact), -fact.instant_us, fact.event_id))
    used = times_used(fact)
    why = (
        "they told something that was never used"
        if not used
        else f"used {counted(used, 'time')} so far"
    )
    return Suggestion(USE_A_FACT, why, (fact.event_id,))


def _next_rung(case: Case, found: dict[str, Suggestion]) -> Suggestion | None:
    if any(each.rule == Rule.MOMENTUM for each in found.values()):
        return None
    ladder = rung(case.view)
    if not case.view.counted or not ladder.next_untried:
        return None
    channels = ", ".join(ladder.next_channels)
    return Suggestion(NEXT_RUNG, f"rung {ladder.next_rung} is untried: {channels}", ())


def _keep_the_rhythm(case: Case) -> Suggestion | None:
    found = rhythm(case.view)
    last = case.last_contact
    if found.amber_on is None or last is None or found.overdue is not Overdue.NO:
        return None
    # A slow pair of a strict tier is red before it is amber.
    late_on = found.amber_on if found.red_on is None else min(found.amber_on, found.red_on)
    days = late_on - case.on
    return Suggestion(
        KEEP_THE_RHYTHM, f"to be in touch again within {counted(days, 'day')}", (last.event_id,)
    )
