"""Single-threaded account: an organisation that hangs on one person, of ours or of theirs."""

from collections.abc import Iterator

from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.summaries import Summary
from services.projector.domain.attention.tenant import Tenant, TenantRule
from services.projector.domain.collective.account import threads
from services.projector.domain.collective.concentration import concentration
from services.projector.domain.collective.stake import Stake
from services.projector.domain.measures.view import Side
from services.projector.domain.rounding import round_half_even


def _items(tenant: Tenant) -> Iterator[Item]:
    """When one holds more than the policy's share of the account's buffers.

    For the one of ours who holds most of it (the smaller id of equals). Buffers below 0 hold
    nothing. What clears it is the share, whatever it fell by.
    """
    around = tenant.surroundings
    for organization in around.affiliations.organizations:
        near = tenant.threads(organization)
        stakes = [_stake(summary) for summary in near]
        ours = concentration(stakes, Side.INTERNAL)
        theirs = concentration(stakes, Side.EXTERNAL)
        if not threads(ours, theirs, around.policy):
            continue
        by_ours, by_theirs = (max(each.share_per_mille or 0 for each in x) for x in (ours, theirs))
        bound = around.policy.measures.account.single_threaded_share
        person = min(ours, key=lambda holding: (-holding.held_mp, holding.person)).person
        at_stake_mp = sum(summary.at_stake_mp for summary in near if summary.ours == (person,))
        yield tenant.item(
            Rule.SINGLE_THREADED,
            person,
            organization,
            f"one of ours holds {by_ours} per mille of the account, "
            f"one of theirs {by_theirs}; {bound} is the limit",
            at_stake_mp=at_stake_mp,
            by_ours_per_mille=by_ours,
            by_theirs_per_mille=by_theirs,
            limit_per_mille=bound,
        )


def _stake(summary: Summary) -> Stake:
    """The relationship of one of ours with one of theirs, as an account sums it up."""
    sides = {summary.ours[0]: Side.INTERNAL, summary.theirs[0]: Side.EXTERNAL}
    a, b = summary.pair
    return Stake(
        a=a,
        b=b,
        know_mp=round_half_even(summary.know),
        care_mp=round_half_even(summary.care),
        buffer_mp=round_half_even(summary.buffer),
        contact_days=0,  # shares are of buffers alone
        a_side=sides[a],
        b_side=sides[b],
    )


def _settled(item: Item, tenant: Tenant) -> Reason | None:
    """Spread, when there still is an account; the thread may also have passed to a colleague."""
    held = [t for t in tenant.threads(item.about) if t.buffer > 0]
    return Reason.SPREAD if held else None


RULE = TenantRule(Rule.SINGLE_THREADED, _items, _settled)
