"""Proactivity: who moves before there is a need. Source: the domain contract, section 6."""

from dataclasses import dataclass

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.ratio import NO_SIDE, Ratio, ratio
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import Initiative


@dataclass(frozen=True, slots=True)
class Proactivity:
    """The contact-days of the window on which one of ours was in each mode, and their shares.

    A share is (X + 1) / (P + Rv + Ra + 3). A day counts once for each mode used on it, so the days
    by mode may add up to more than `contact_days`, those with any of them. `left_out` counts
    contacts of a person without a side; with nobody of ours, shares say NO_SIDE.
    """

    first_day: int
    contact_days: int
    proactive_days: tuple[int, ...]
    responsive_days: tuple[int, ...]
    reactive_days: tuple[int, ...]
    proactive: Ratio
    responsive: Ratio
    reactive: Ratio
    left_out: int


def proactivity(view: RelationshipView) -> Proactivity:
    """How we are in touch: on our own account, on request, or because something went wrong.

    A contact-day counts for a mode when an internal initiator, or a mutual touchpoint with one of
    ours, used it. A day whose only proactive touches saturate (`digital`) is no proactive day; it
    is none of the window's `contact_days` either unless another mode was used on it. Between two
    internal people both are ours.
    """
    window_days = view.policy.measures.proactivity_window_days
    days: dict[Initiative, set[int]] = {
        Initiative.PROACTIVE: set(),
        Initiative.RESPONSIVE: set(),
        Initiative.REACTIVE: set(),
    }
    left_out = 0
    for touch in view.window(window_days):
        if not view.is_counted(touch):
            continue
        outbound = view.outbound(touch)
        if outbound is None:
            left_out += 1
        elif outbound:
            mode = view.mode(touch)
            if mode is not Initiative.PROACTIVE or not _saturates(view, touch):
                days[mode].add(touch.day)
    proactive, responsive, reactive = (tuple(sorted(found)) for found in days.values())
    total = len(proactive) + len(responsive) + len(reactive) + len(days)

    def share(found: tuple[int, ...]) -> Ratio:
        return ratio(view, len(found) + 1, total) if view.internal else NO_SIDE

    return Proactivity(
        first_day=view.on - window_days + 1,
        contact_days=len(set().union(*days.values())),
        proactive_days=proactive,
        responsive_days=responsive,
        reactive_days=reactive,
        proactive=share(proactive),
        responsive=share(responsive),
        reactive=share(reactive),
        left_out=left_out,
    )


def _saturates(view: RelationshipView, touch: Touchpoint) -> bool:
    kind = view.policy.kinds.get(touch.kind)
    return kind is not None and kind.saturate is not None
