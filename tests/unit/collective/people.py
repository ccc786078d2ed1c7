"""Ann, Ida, Jon, Kim and Leo are ours; Bob, Cat, Dan, Eva and Fay are not; nobody knows Zed."""

from collections.abc import Iterable
from typing import Final

from services.projector.domain.collective.stake import Stake
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView, Side, view_of
from services.runtime.policy import Policy, default_policy

POLICY: Final = default_policy()
OURS: Final = ("ann", "ida", "jon", "kim", "leo")
THEIRS: Final = ("bob", "cat", "dan", "eva", "fay")
SIDES: Final = dict.fromkeys(OURS, Side.INTERNAL) | dict.fromkeys(THEIRS, Side.EXTERNAL)


def stake(
    one: str, other: str, know_mp: int, care_mp: int, buffer_mp: int, contact_days: int = 9
) -> Stake:
    """A relationship's figures, as given: they need not follow from each other."""
    a, b = sorted((one, other))
    return Stake(
        a=a,
        b=b,
        know_mp=know_mp,
        care_mp=care_mp,
        buffer_mp=buffer_mp,
        contact_days=contact_days,
        a_side=SIDES.get(a),
        b_side=SIDES.get(b),
    )


def view(
    touchpoints: Iterable[Touchpoint],
    on: int,
    pair: tuple[str, str] = ("ann", "bob"),
    policy: Policy = POLICY,
    **tiers: str,
) -> RelationshipView:
    """A relationship of these people, who have no tier unless told."""
    return view_of(touchpoints, policy, on, pair, sides=SIDES, tiers=tiers)


def changed(policy: Policy, old: str, new: str) -> Policy:
    """A policy with another piece of text in its canonical JSON, found exactly once."""
    assert policy.canonical_json.count(old) == 1
    return Policy.parse(policy.canonical_json.replace(old, new))
