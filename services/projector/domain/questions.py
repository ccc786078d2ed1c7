"""Questions to a relationship's history, answered by folding it: what buckets must agree with."""

from collections.abc import Iterable

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.effective import effective
from services.projector.domain.entries import fold
from services.projector.domain.facts import Fact, Touchpoint
from services.runtime.policy import Policy


def balance_on(touchpoints: Iterable[Touchpoint], policy: Policy, on: int) -> Balance:
    """The exact balance of effective touchpoints on any day, past or future."""
    return Buckets(fold(touchpoints, policy, on).entries).balance(on)


def balance_of_facts(
    facts: Iterable[Fact], policy: Policy, on: int, known_at: int | None = None
) -> Balance:
    """The exact balance on a day, as known when `known_at` was the journal's last position."""
    return balance_on(effective(facts, known_at).touchpoints, policy, on)
