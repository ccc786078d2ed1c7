"""Capital at risk: one of ours has left, and relationships have not been handed over."""

from collections.abc import Iterator
from fractions import Fraction

from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.summaries import Handover, Summary
from services.projector.domain.attention.tenant import Tenant, TenantRule
from services.projector.domain.measures.view import Side
from services.projector.domain.people.affiliations import Affiliation
from services.projector.domain.rounding import round_half_even
from services.projector.domain.words import counted, points


def _items(tenant: Tenant) -> Iterator[Item]:
    """From the day an affiliation of one of ours ended, while CARE of theirs is not handed over.

    One item a leaver and end, for each who can act: the team left behind; without one, ours who
    know any of the people in question; without those, the leaver.
    """
    everybody = leavers(tenant)
    gone = {person for person, _ in everybody}
    for leaver, end in everybody:
        waiting = not_handed_over(tenant, leaver, end)
        if not waiting:
            continue
        care_mp = round_half_even(sum((s.care for s in waiting), Fraction(0)))
        for person in _who_can_act(tenant, leaver, end, waiting, gone):
            yield tenant.item(
                Rule.CAPITAL_AT_RISK,
                person,
                leaver,
                f"one who left has not handed over {counted(len(waiting), 'relationship')}: "
                f"CARE of {points(care_mp)}",
                cause=[end.ended_by],
                events=[end.ended_by],
                at_stake_mp=sum(summary.at_stake_mp for summary in waiting),
                relationships=len(waiting),
                care_mp=care_mp,
            )


def leavers(tenant: Tenant) -> list[tuple[str, Affiliation]]:
    """Ours whose place in an organisation ended and who did not come back to it, with the end.

    Ours on the day before they left: who is described anew as external has left all the same.
    """
    around = tenant.surroundings
    found = []
    ended = [a for a in around.affiliations.everything if a.over(around.on)]
    for end in sorted(ended, key=lambda a: (a.end_day or 0, a.event_id)):
        assert end.end_day is not None, "an affiliation that is over has an end"
        ids = around.humans.members(end.person)
        if around.descriptions.side(ids, end.end_day - 1) is not Side.INTERNAL:
            continue
        now = around.affiliations.of(ids, around.on)
        if all(place.organization != end.organization for place in now):
            found.append((around.humans.canonical(end.person), end))
    return found


def not_handed_over(tenant: Tenant, leaver: str, end: Affiliation) -> list[Summary]:
    """The relationships of a leaver with people who are not ours that hold CARE still.

    Handed over is one with a handover the leaver gave (a joint touch with the successor), or whose
    other person had one from a colleague after the end.
    """
    waiting = []
    for summary in tenant.by_person.get(leaver, ()):
        other = summary.other(leaver)
        if other in summary.ours or round_half_even(summary.care) <= 0:
            continue
        if not _handed_over(tenant, summary, leaver, other, end):
            waiting.append(summary)
    return waiting


def _handed_over(
    tenant: Tenant, summary: Summary, leaver: str, other: str, end: Affiliation
) -> bool:
    if any(leaver in handover.givers for handover in summary.handovers):
        return True
    return any(
        _takes_over(handover, colleague, end)
        for theirs in tenant.by_person.get(other, ())
        if theirs.pair != summary.pair
        for colleague in theirs.ours
        for handover in theirs.handovers
    )


def _takes_over(handover: Handover, colleague: str, end: Affiliation) -> bool:
    return colleague in handover.givers and handover.day >= (end.end_day or 0)


def _who_can_act(
    tenant: Tenant, leaver: str, end: Affiliation, waiting: list[Summary], gone: set[str]
) -> list[str]:
    around = tenant.surroundings
    team = around.descriptions.team(around.humans.members(leaver), (end.end_day or 0) - 1)
    if team:
        mates = [p for p in _ours_in(tenant, team) if p not in gone]
        if mates:
            return mates
    knowing = {
        colleague
        for summary in waiting
        for theirs in tenant.by_person.get(summary.other(leaver), ())
        for colleague in theirs.ours
        if theirs.contacts and colleague not in gone and colleague != leaver
    }
    return sorted(knowing) or [leaver]


def _ours_in(tenant: Tenant, team: str) -> list[str]:
    around = tenant.surroundings
    people = {around.humans.canonical(party) for party in around.descriptions.parties}
    return sorted(
        person
        for person in people
        if around.descriptions.side(ids := around.humans.members(person), around.on)
        is Side.INTERNAL
        and around.descriptions.team(ids, around.on) == team
    )


def _settled(item: Item, tenant: Tenant) -> Reason | None:
    for leaver, end in leavers(tenant):
        if leaver == item.about and end.ended_by == item.event_ids[0]:
            held = [s for s in tenant.by_person.get(leaver, ()) if s.care > 0]
            if held and not not_handed_over(tenant, leaver, end):
                return Reason.HANDED_OVER
    return None


RULE = TenantRule(Rule.CAPITAL_AT_RISK, _items, _settled)
