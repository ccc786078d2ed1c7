"""Signal unanswered: there was news of them, and nobody said a word."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.summaries import Summary
from services.projector.domain.attention.tenant import Tenant, TenantRule
from services.projector.domain.people.signals import Signal, unanswered
from services.projector.domain.words import counted


def _of_relationship(case: Case) -> Iterator[Item]:
    """From the policy's days after the oldest signal that this one of ours did not answer.

    Only people in touch are asked to answer. A colleague's word is not theirs, nor is a call that
    came in.
    """
    if case.last_contact is None:
        return
    for person in case.view.internal:
        waiting = _waiting(case, person)
        if waiting and (days := _late_days(case.on, waiting)) >= _allowed_days(case):
            yield case.item(
                Rule.SIGNAL_UNANSWERED,
                person,
                f"no word from you since their news of {counted(days, 'day')} ago",
                cause=[waiting[0].event_id],
                events=[signal.event_id for signal in waiting],
                days=days,
                signals=len(waiting),
            )


def _waiting(case: Case, person: str) -> tuple[Signal, ...]:
    given = [t.instant_us for t in case.view.counted if person in case.view.givers(t)]
    signals = case.surroundings.signals.get(case.view.other(person), ())
    return unanswered(signals, max(given, default=None))


def _settled_by_person(item: Item, case: Case) -> Reason | None:
    waiting = {signal.event_id for signal in _waiting(case, item.person)}
    return None if waiting.issuperset(item.event_ids) else Reason.ANSWERED


def _of_organizations(tenant: Tenant) -> Iterator[Item]:
    """Of an organisation's news: for each of ours in touch with somebody there that day."""
    around = tenant.surroundings
    for about, signals in sorted(around.signals.items()):
        if not about.startswith("organizations/"):
            continue
        for person, threads in sorted(_threads_by_person(tenant, about).items()):
            waiting = unanswered(signals, _last_outbound_us(person, threads))
            if not waiting:
                continue
            days = _late_days(around.on, waiting)
            if days < around.policy.attention.signal_unanswered_days:
                continue
            yield tenant.item(
                Rule.SIGNAL_UNANSWERED,
                person,
                about,
                f"no word from you since their news of {counted(days, 'day')} ago",
                cause=[waiting[0].event_id],
                events=[signal.event_id for signal in waiting],
                at_stake_mp=sum(thread.at_stake_mp for thread in threads),
                days=days,
                signals=len(waiting),
            )


def _threads_by_person(tenant: Tenant, organization: str) -> dict[str, list[Summary]]:
    found: defaultdict[str, list[Summary]] = defaultdict(list)
    for thread in tenant.threads(organization):
        if thread.contacts:
            found[thread.ours[0]].append(thread)
    return found


def _last_outbound_us(person: str, threads: Sequence[Summary]) -> int | None:
    given = (thread.outbound_by(person) for thread in threads)
    return max((instant_us for instant_us in given if instant_us is not None), default=None)


def _settled_by_organization(item: Item, tenant: Tenant) -> Reason | None:
    threads = _threads_by_person(tenant, item.about).get(item.person, [])
    signals = tenant.surroundings.signals.get(item.about, ())
    waiting = {s.event_id for s in unanswered(signals, _last_outbound_us(item.person, threads))}
    return None if waiting.issuperset(item.event_ids) else Reason.ANSWERED


def _late_days(on: int, waiting: Sequence[Signal]) -> int:
    return on - waiting[0].day


def _allowed_days(case: Case) -> int:
    return case.surroundings.policy.attention.signal_unanswered_days


RULE = RelationshipRule(Rule.SIGNAL_UNANSWERED, _of_relationship, _settled_by_person)
ORGANIZATION_RULE = TenantRule(Rule.SIGNAL_UNANSWERED, _of_organizations, _settled_by_organization)
