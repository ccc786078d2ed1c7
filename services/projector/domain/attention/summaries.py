"""What is kept of a relationship for the rules that look at several."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.projector.domain.attention.case import Case
from services.projector.domain.facts import Pair

HANDOVER: Final = "handover"


@dataclass(frozen=True, slots=True)
class Handover:
    """A handover touchpoint: who gave it (both, when mutual), and its occasion, if any."""

    event_id: str
    day: int
    givers: tuple[str, ...]
    occasion_id: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One relationship on a day, small enough to hold those of a whole tenant.

    Ids are canonical; `ours` and `theirs` are those INTERNAL and EXTERNAL. `know`, `care`
    and `buffer` are exact mp. `outbound_us` has the instant of the latest counted contact that
    each gave, `contacts` the number of all.
    """

    pair: Pair
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    know: Fraction
    care: Fraction
    buffer: Fraction
    at_stake_mp: int
    contacts: int
    outbound_us: tuple[tuple[str, int], ...]
    handovers: tuple[Handover, ...]

    def other(self, person: str) -> str:
        """The other of the two humans."""
        return self.pair[1] if person == self.pair[0] else self.pair[0]

    def outbound_by(self, person: str) -> int | None:
        """When a person last gave the other contact that counts; None for never."""
        return dict(self.outbound_us).get(person)


def summary_of(case: Case) -> Summary:
    """The summary of a case."""
    view = case.view
    outbound: dict[str, int] = {}
    for touch in view.counted:
        for person in view.givers(touch):
            outbound[person] = touch.instant_us
    return Summary(
        pair=view.pair,
        ours=view.internal,
        theirs=view.external,
        know=view.balance.know,
        care=view.balance.care,
        buffer=view.buffer,
        at_stake_mp=case.at_stake_mp,
        contacts=len(view.counted),
        outbound_us=tuple(sorted(outbound.items())),
        handovers=tuple(
            Handover(touch.event_id, touch.day, view.givers(touch), touch.occasion_id)
            for touch in view.counted
            if touch.kind == HANDOVER
        ),
    )
