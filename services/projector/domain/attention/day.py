"""The items of a day: a pure function of what holds on it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from services.projector.domain.attention import (
    buffer_falls,
    capital_at_risk,
    date_coming,
    fact_due,
    incident_unanswered,
    know_only,
    momentum,
    no_follow_up,
    no_little_thing,
    one_sided,
    overdue,
    problem_only,
    promise_due,
    reaction_mode,
    signal_unanswered,
    silent_after_sale,
    single_threaded,
)
from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.summaries import Summary, summary_of
from services.projector.domain.attention.surroundings import Surroundings
from services.projector.domain.attention.tenant import Tenant, TenantRule
from services.projector.domain.facts import Pair
from services.projector.domain.measures.view import RelationshipView

RELATIONSHIP_RULES: Final[Mapping[Rule, RelationshipRule]] = {
    module.RULE.rule: module.RULE
    for module in (
        overdue,
        date_coming,
        fact_due,
        reaction_mode,
        problem_only,
        silent_after_sale,
        buffer_falls,
        incident_unanswered,
        no_follow_up,
        promise_due,
        momentum,
        one_sided,
        know_only,
        no_little_thing,
        signal_unanswered,
    )
}
TENANT_RULES: Final[Mapping[Rule, TenantRule]] = {
    rule.rule: rule
    for rule in (signal_unanswered.ORGANIZATION_RULE, single_threaded.RULE, capital_at_risk.RULE)
}


def items_of_relationship(case: Case) -> tuple[Item, ...]:
    """What one relationship asks of its people, most at stake first."""
    if not case.view.internal:
        return ()
    found = (item for rule in RELATIONSHIP_RULES.values() for item in rule.items(case))
    return most_at_stake_first(found)


def items_of_tenant(tenant: Tenant) -> tuple[Item, ...]:
    """What several relationships together ask of people, most at stake first."""
    return most_at_stake_first(
        item for rule in TENANT_RULES.values() for item in rule.items(tenant)
    )


def most_at_stake_first(items: Iterable[Item]) -> tuple[Item, ...]:
    """In the order people see them: what is lost by waiting, descending, then by id."""
    return tuple(sorted(items, key=lambda item: (-item.at_stake_mp, item.item)))


@dataclass(frozen=True, eq=False)
class AttentionDay:
    """A tenant's day as a whole: its items, and why others are gone.

    For many relationships rather go through `items_of_relationship` and `summary_of` one by one,
    and `items_of_tenant` at the end: the result is the same.
    """

    cases: Mapping[Pair, Case]
    surroundings: Surroundings

    @cached_property
    def tenant(self) -> Tenant:
        """Its relationships in short."""
        return Tenant.of(_summaries(self.cases.values()), self.surroundings)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items of the day, most at stake first."""
        found = [item for case in self.cases.values() for item in items_of_relationship(case)]
        return most_at_stake_first([*found, *items_of_tenant(self.tenant)])

    def reason(self, item: Item) -> Reason:
        """Why an item of an earlier day is not among those of this one."""
        case = None if item.pair is None else self.cases.get(item.pair)
        return reason_cleared(item, self.surroundings, case=case, tenant=self.tenant)


def attention_day(views: Iterable[RelationshipView], surroundings: Surroundings) -> AttentionDay:
    """The day of relationships (each once, in any order) among their surroundings."""
    cases = [Case(view, surroundings) for view in views]
    cases.sort(key=lambda case: case.view.pair)
    return AttentionDay({case.view.pair: case for case in cases}, surroundings)


def reason_cleared(
    item: Item,
    surroundings: Surroundings,
    *,
    case: Case | None = None,
    tenant: Tenant | None = None,
) -> Reason:
    """Why an item is not among those of the day. Asked only of items that are not.

    For an item about a relationship `case` is that relationship (None: nobody ever touched it, or
    its people turned out to be others), for one about a party `tenant` is needed. In this order:
    an event behind it is gone; the person is not ours any more; what clears it was done; another
    policy is in force; else what is known of the people has changed.
    """
    known = surroundings.event_ids
    touchpoints = {} if case is None else case.view.by_id
    if any(e not in known and e not in touchpoints for e in item.event_ids):
        return Reason.WITHDRAWN
    reason: Reason | None = None
    if item.pair is None:
        assert tenant is not None, "an item about a party is judged among all relationships"
        reason = TENANT_RULES[item.rule].settled(item, tenant)
    elif case is not None and item.person in case.view.internal:
        reason = RELATIONSHIP_RULES[item.rule].settled(item, case)
    if reason is not None:
        return reason
    return Reason.CHANGED if item.trace.policy_hash == surroundings.policy.hash else Reason.POLICY


def _summaries(cases: Iterable[Case]) -> Iterator[Summary]:
    return (summary_of(case) for case in cases)
