"""Facts about people, and whether they were used. Source: the domain contract, sections 1 and 3."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.projector.domain.calendar import day_of
from services.projector.domain.facts import Touchpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedFact:
    """Something worth remembering about a person; its text is personal and not here.

    `expect_on` is the day to come back to it, None for never.
    """

    event_id: str
    position: int
    instant_us: int
    person: str
    category: str = ""
    expect_on: int | None = None
    reason_for_relationship: bool = False

    @property
    def learned_on(self) -> int:
        """The day it was learned."""
        return day_of(self.instant_us)

    def due(self, on: int) -> bool:
        """Whether its expectation has come."""
        return self.expect_on is not None and self.expect_on <= on


def uses(
    fact_id: str,
    touchpoints: Iterable[Touchpoint],
    facts_used: Mapping[str, Iterable[str]],
) -> tuple[Touchpoint, ...]:
    """The touchpoints that used a fact (or a noted date), in the order given.

    `facts_used` says for the event id of a touchpoint what it used.
    """
    return tuple(t for t in touchpoints if fact_id in facts_used.get(t.event_id, ()))
