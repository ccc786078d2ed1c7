"""The trust panel: four bars with counts, and no single number. Source: the contract, section 6."""

from dataclasses import dataclass
from typing import Final

from services.projector.domain.measures.ratio import NO_SIDE, Ratio, ratio
from services.projector.domain.measures.reliability import Kept, reliability
from services.projector.domain.measures.view import RelationshipView

ASK: Final = "ask"
PROPOSAL: Final = "proposal"
DEEP_FROM: Final = 2


@dataclass(frozen=True, slots=True)
class Credibility:
    """What they know we can do: KNOW in mp, and how many entries have added to it."""

    know_mp: int
    touches: int


@dataclass(frozen=True, slots=True)
class Intimacy:
    """How close it gets: CARE in mp, and the share of contacts of depth 2 or more.

    The share is of the counted contacts whose depth was recorded: one that nobody rated is not
    shallow. `contacts` counts all.
    """

    care_mp: int
    deep: int
    with_depth: int
    contacts: int
    share: Ratio


@dataclass(frozen=True, slots=True)
class SelfOrientation:
    """How much of what goes out wants something: (asks + proposals) / all outbound.

    Less is better. Outbound are counted contacts that one of ours gave (mutual ones too);
    `left_out` counts those of a person without a side.
    """

    asks: int
    proposals: int
    outbound: int
    left_out: int
    share: Ratio


@dataclass(frozen=True, slots=True)
class TrustPanel:
    """The four bars. Reliability is that of our promises."""

    credibility: Credibility
    reliability: Kept
    intimacy: Intimacy
    self_orientation: SelfOrientation


def trust_panel(view: RelationshipView) -> TrustPanel:
    """What trust here rests on, over the whole history up to the day."""
    adding = sum(entry.know_mp > 0 for entry in view.entries)
    return TrustPanel(
        Credibility(view.balance.know_mp, adding),
        reliability(view).ours,
        _intimacy(view),
        _self_orientation(view),
    )


def _intimacy(view: RelationshipView) -> Intimacy:
    depths = [touch.depth for touch in view.counted if touch.depth is not None]
    deep = sum(depth >= DEEP_FROM for depth in depths)
    return Intimacy(
        care_mp=view.balance.care_mp,
        deep=deep,
        with_depth=len(depths),
        contacts=len(view.counted),
        share=ratio(view, deep, len(depths)),
    )


def _self_orientation(view: RelationshipView) -> SelfOrientation:
    outbound = [touch for touch in view.counted if view.outbound(touch)]
    asks = sum(touch.kind == ASK for touch in outbound)
    proposals = sum(touch.kind == PROPOSAL for touch in outbound)
    share = ratio(view, asks + proposals, len(outbound))
    return SelfOrientation(
        asks=asks,
        proposals=proposals,
        outbound=len(outbound),
        left_out=sum(view.outbound(touch) is None for touch in view.counted),
        share=share if view.internal else NO_SIDE,
    )
