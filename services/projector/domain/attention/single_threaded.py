"""Single-threaded account: an organisation that hangs on one person, of ours or of theirs."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.tenant import Tenant, TenantRule
from services.projector.domain.rounding import round_half_even


def _items(tenant: Tenant) -> Iterator[Item]:
    """When one holds more than the policy's share of the account's buffers.

    For the one of ours who holds most of it (the smaller id of equals). Buffers below 0 hold
    nothing. What clears it is the share, whatever it fell by.
    """
    around = tenant.surroundings
    bound = around.policy.measures.account.single_threaded_share
    for organization in around.affiliations.organizations:
        ours: defaultdict[str, Fraction] = defaultdict(Fraction)
        theirs: defaultdict[str, Fraction] = defaultdict(Fraction)
        stakes: defaultdict[str, int] = defaultdict(int)
        for thread in tenant.threads(organization):
            (person,) = thread.ours
            held = max(thread.buffer, Fraction(0))
            ours[person] += held
            theirs[thread.other(person)] += held
            stakes[person] += thread.at_stake_mp
        total = sum(ours.values(), Fraction(0))
        if not total:
            continue
        by_ours, by_theirs = (
            round_half_even(1000 * max(x.values()) / total) for x in (ours, theirs)
        )
        if max(by_ours, by_theirs) <= bound:
            continue
        person = min(ours, key=lambda person: (-ours[person], person))
        yield tenant.item(
            Rule.SINGLE_THREADED,
            person,
            organization,
            f"one of ours holds {by_ours} per mille of the account, "
            f"one of theirs {by_theirs}; {bound} is the limit",
            at_stake_mp=stakes[person],
            by_ours_per_mille=by_ours,
            by_theirs_per_mille=by_theirs,
            limit_per_mille=bound,
        )


def _settled(item: Item, tenant: Tenant) -> Reason | None:
    """Spread, when there still is an account; the thread may also have passed to a colleague."""
    held = [t for t in tenant.threads(item.about) if t.buffer > 0]
    return Reason.SPREAD if held else None


RULE = TenantRule(Rule.SINGLE_THREADED, _items, _settled)
