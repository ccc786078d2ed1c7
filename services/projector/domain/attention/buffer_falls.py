"""The buffer falls: within the policy's days it stops surviving the worst it survives today."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.held import (
    FRACTION_BITS,
    Bounds,
    Stretch,
    first_day,
)
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.balance import Balance
from services.projector.domain.forecast import impact_of
from services.projector.domain.words import counted
from services.runtime.policy import Attribution, Policy


def _items(case: Case) -> Iterator[Item]:
    """An incident of ours of the highest severity survived today; held until the next contact.

    Once the day has come the item stays, since the warning did not become untrue by coming true.
    """
    if case.quiet_since is None or not case.view.internal:
        return
    found = _found(case)
    if found is None:
        return
    severity, day = found
    in_days = counted(day - case.on, "day")
    why = f"it would not survive an incident of severity {severity} in {in_days}"
    if day <= case.on:
        why = (
            f"it has not survived an incident of severity {severity} "
            f"for {counted(case.on - day + 1, 'day')}"
        )
    for person in case.view.internal:
        yield case.item(
            Rule.BUFFER_FALLS,
            person,
            why,
            events=[] if case.last_contact is None else [case.last_contact.event_id],
            severity=severity,
            fails_on=day,
            buffer_mp=case.view.buffer_mp,
        )


def _found(case: Case) -> tuple[int, int] | None:
    """The severity and the first day it is not survived, as foreseen latest in the silence.

    What a machine posts begins another stretch: each is foreseen without the posts that follow.
    """
    policy = case.surroundings.policy
    today = Stretch(case.on, case.on, case.view.buckets)
    found = _ahead(policy, today)
    if found is not None:
        return found
    for stretch in reversed(case.silent_stretches):
        found = _ahead(policy, stretch) or _within(policy, stretch)
        if found is not None:
            return found
    return None


def _ahead(policy: Policy, stretch: Stretch) -> tuple[int, int] | None:
    """As foreseen on the last day of a stretch."""
    today = stretch.last
    balance = stretch.buckets.balance(today)
    tests = [_Test(policy, severity) for severity in policy.incident.severity]
    survived = [test for test in tests if test.survives(balance)]
    if not survived:
        return None
    test = max(survived, key=lambda test: test.severity)
    through = today + policy.attention.buffer_falls_within_days
    ahead = [Stretch(today, through, stretch.buckets)]
    day = first_day(ahead, test.may_fail, test.fails, after=today)
    return None if day is None else (test.severity, day)


def _within(policy: Policy, stretch: Stretch) -> tuple[int, int] | None:
    """The highest severity survived on some day of a stretch and not on a later one of it."""
    for severity in sorted(policy.incident.severity, reverse=True):
        test = _Test(policy, severity)
        survived = first_day([stretch], test.may_survive, test.survives)
        if survived is None:
            continue
        day = first_day([stretch], test.may_fail, test.fails, after=survived)
        if day is not None:
            return severity, day
    return None


@dataclass(frozen=True, slots=True)
class _Test:
    """Whether a buffer survives an incident of ours, exactly and within bounds."""

    policy: Policy
    severity: int

    @property
    def impact(self) -> Fraction:
        return impact_of(self.policy, self.severity, Attribution.OURS)

    def survives(self, balance: Balance) -> bool:
        return balance.buffer(self.policy) >= self.impact

    def fails(self, balance: Balance) -> bool:
        return not self.survives(balance)

    def may_survive(self, bounds: Bounds) -> bool:
        return self._buffer(bounds.know_max, bounds.care_max) >= self._needed

    def may_fail(self, bounds: Bounds) -> bool:
        return self._buffer(bounds.know_min, bounds.care_min) <= self._needed

    def _buffer(self, know: int, care: int) -> int:
        """In mp / (1000 x 2^64)."""
        rule = self.policy.buffer
        return care * 1000 + min(max(know, 0), rule.know_cap << FRACTION_BITS) * rule.know_share

    @property
    def _needed(self) -> int:
        return (self.impact.numerator * 1000 << FRACTION_BITS) // self.impact.denominator


RULE = RelationshipRule(Rule.BUFFER_FALLS, _items, settled_by_contact)
