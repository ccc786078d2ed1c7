"""Facts of a few people, close enough in time and kind to get in each other's way."""

from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import INCIDENT, RECOVERY, Attribution, Audience, Initiative
from services.runtime.policy import RecoveryStep as Step

PEOPLE: Final = ("a", "b", "c")
KINDS: Final = (
    "social.like",
    "social.comment",
    "social.share",
    "call",
    "meeting.in_person",
    "email.bulk",
    "promise.broken",
    "ask",
    "unheard.of",
    INCIDENT,
    INCIDENT,
    RECOVERY,
    RECOVERY,
)
# Around 2000, so that days are negative too; weeks, SLA hours and the 90 days are all within.
DAYS: Final = st.integers(-120, 120)
_QUARTER_US: Final = US_PER_DAY // 96


def event_id(number: int) -> str:
    """The event id of the n-th fact."""
    return str(UUID(int=number))


@st.composite
def touchpoints(
    draw: st.DrawFn, number: int = 0, pair: tuple[str, str] | None = None
) -> Touchpoint:
    """One touchpoint; recoveries resolve any of the first events."""
    kind = draw(st.sampled_from(KINDS))
    two = list(pair or draw(st.sampled_from([("a", "b"), ("a", "b"), ("a", "c"), ("b", "c")])))
    initiator, counterpart = draw(st.permutations(two))
    near = st.integers(-2, 16).map(lambda day: day * 96)
    moment = draw(st.one_of(near, DAYS.map(lambda day: day * 96))) + draw(st.integers(0, 95))
    incident, recovery = kind == INCIDENT, kind == RECOVERY
    return Touchpoint(
        event_id=event_id(number),
        position=number,
        instant_us=moment * _QUARTER_US,
        initiator=initiator,
        counterpart=counterpart,
        kind=kind,
        mutual=draw(st.booleans()),
        channel=draw(st.sampled_from(["", "x", "email", "phone"])),
        initiative=draw(st.sampled_from([None, None, *Initiative])),
        audience=draw(st.sampled_from([None, None, None, *Audience])),
        prep_minutes=draw(st.sampled_from([None, 0, 7, 500])),
        live_minutes=draw(st.sampled_from([None, 3, 15, 37, 90, 999])),
        sentiment=draw(st.sampled_from([None, -2, -1, 0, 1, 2])),
        severity=draw(st.integers(1, 4)) if incident else None,
        attribution=draw(st.sampled_from([None, *Attribution])) if incident else None,
        category=draw(st.sampled_from(["", "late"])) if incident else "",
        resolves=event_id(draw(st.integers(0, 12))) if recovery else "",
        recovery_step=draw(st.sampled_from([*Step])) if recovery else None,
    )


@st.composite
def histories(draw: st.DrawFn, count_max: int = 24) -> list[Fact]:
    """Facts in order of their positions: touchpoints, corrections and voids of any target."""
    count = draw(st.integers(0, count_max))
    facts: list[Fact] = []
    for number in range(count):
        sort = draw(st.sampled_from(["touchpoint"] * 5 + ["correction", "void"]))
        target = event_id(draw(st.integers(0, count)))
        if sort == "touchpoint":
            facts.append(draw(touchpoints(number)))
        elif sort == "void":
            facts.append(Void(event_id=event_id(number), position=number, target=target))
        else:
            facts.append(
                Correction(
                    event_id=event_id(number),
                    position=number,
                    replaces=target,
                    replacement=draw(touchpoints(number)),
                    keeps_instant=draw(st.booleans()),
                )
            )
    return facts


def one_pair(count_max: int = 20) -> st.SearchStrategy[list[Touchpoint]]:
    """Effective touchpoints of the relationship a~b."""
    numbers = st.integers(0, count_max).flatmap(
        lambda count: st.tuples(*(touchpoints(n, ("a", "b")) for n in range(count)))
    )
    return numbers.map(list)
