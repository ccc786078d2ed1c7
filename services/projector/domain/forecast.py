"""Would a relationship survive an incident, and until when. Source: the domain contract, section 6.

All in integers. Between two days on which something is posted every half-life's total only shrinks
towards zero, so the buffer of a whole stretch of days is bounded from below by its positive totals
on the last day and its negative ones on the first. Stretches that the bound clears are done;
others are halved, down to single days, which are decided exactly where the bound does not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets, group_totals
from services.projector.domain.decay import decay_table
from services.projector.domain.entries import fold
from services.projector.domain.facts import Touchpoint
from services.projector.domain.rounding import ceiling, round_half_even
from services.runtime.policy import Attribution, Policy

# Bounds are integers of mp / 2^FRACTION_BITS, each term less than one of them too low.
FRACTION_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an incident would do.

    `survives_through` is the last day such that every day from the one asked through it survives;
    None when that day itself does not, and then `short_by_mp` (>= 1) says by how much.
    `beyond_horizon`: it survives the whole look-ahead.
    """

    on: int
    impact: Fraction
    buffer: Fraction
    survives_through: int | None
    short_by_mp: int | None
    beyond_horizon: bool

    @property
    def impact_mp(self) -> int:
        """The impact, rounded."""
        return round_half_even(self.impact)

    @property
    def buffer_mp(self) -> int:
        """The buffer of the day asked, rounded."""
        return round_half_even(self.buffer)


def impact_of(policy: Policy, severity: int, attribution: Attribution) -> Fraction:
    """What the buffer must hold, in mp, exactly: the severity's |care| x attribution."""
    return Fraction(
        abs(policy.incident.severity[severity][1]) * policy.incident.attribution[attribution], 1000
    )


def survives(balance: Balance, policy: Policy, severity: int, attribution: Attribution) -> bool:
    """Whether an exact balance survives the incident on its day: equal is enough."""
    return balance.buffer(policy) >= impact_of(policy, severity, attribution)


def planned(plan: Sequence[Touchpoint]) -> list[Touchpoint]:
    """Planned touchpoints under ids that sort after every real one, in the order given."""
    return [touch._replace(event_id=f"~{index:06d}") for index, touch in enumerate(plan)]


def forecast(
    touchpoints: Iterable[Touchpoint],
    policy: Policy,
    on: int,
    severity: int,
    attribution: Attribution = Attribution.OURS,
    plan: Sequence[Touchpoint] = (),
) -> Forecast:
    """What an incident of this severity would do from day `on`, without further contact but `plan`.

    Only effective touchpoints with day <= `on` count; planned ones are ordinary ones on their day,
    after real ones at the same instant, in the order given (their event ids are of no account).
    """
    known = [touch for touch in touchpoints if touch.day <= on]
    return forecast_pairs([known], policy, on, severity, attribution, plan)


def forecast_pairs(
    pairs: Sequence[Sequence[Touchpoint]],
    policy: Policy,
    on: int,
    severity: int,
    attribution: Attribution,
    plan: Sequence[Touchpoint] = (),
) -> Forecast:
    """As `forecast`, for the raw pairs that make up one canonical relationship."""
    known = [touch for pair in pairs for touch in pair if touch.day <= on]
    extra = planned(plan)
    horizon = on + policy.measures.forecast_horizon_days
    starts = sorted({on, *(touch.day for touch in extra if on < touch.day <= horizon)})
    stretches = []
    for index, start in enumerate(starts):
        end = starts[index + 1] - 1 if index + 1 < len(starts) else horizon
        stretches.append((start, end, Buckets(fold([*known, *extra], policy, start).entries)))
    return _forecast(stretches, policy, on, impact_of(policy, severity, attribution))


def _forecast(
    stretches: Sequence[tuple[int, int, Buckets]], policy: Policy, on: int, impact: Fraction
) -> Forecast:
    buffer = stretches[0][2].balance(on).buffer(policy)
    if buffer < impact:
        short_by_mp = ceiling(impact - buffer)
        assert short_by_mp >= 1
        return Forecast(on, impact, buffer, None, short_by_mp, False)
    for start, end, buckets in stretches:
        failing = _first_failing_day(buckets, policy, start, end, impact)
        if failing is not None:
            return Forecast(on, impact, buffer, failing - 1, None, False)
    return Forecast(on, impact, buffer, stretches[-1][1], None, True)


type _Totals = list[tuple[int, int, int]]


def _first_failing_day(
    buckets: Buckets, policy: Policy, first: int, last: int, impact: Fraction
) -> int | None:
    """The first day of first .. last on which the exact buffer is below the impact."""
    know, care = group_totals(buckets.know), group_totals(buckets.care)
    share, cap = policy.buffer.know_share, policy.buffer.know_cap << FRACTION_BITS
    needed = (impact.numerator * 1000 << FRACTION_BITS) // impact.denominator
    pending = [(first, last)]
    while pending:
        start, end = pending.pop()
        known = min(max(_at_least(know, start, end), 0), cap)
        if _at_least(care, start, end) * 1000 + known * share > needed:
            continue
        if start == end:
            if buckets.balance(start).buffer(policy) < impact:
                return start
            continue
        middle = (start + end) // 2
        pending.append((middle + 1, end))
        pending.append((start, middle))
    return None


def _at_least(totals: _Totals, start: int, end: int) -> int:
    """A lower bound of an account on every day from start to end, in mp / 2^64."""
    bound = 0
    for half_life_days, base, numerator in totals:
        quotient, remainder = divmod(end if numerator > 0 else start, half_life_days)
        scale = decay_table(half_life_days)[remainder]
        shift = FRACTION_BITS + base - quotient
        if shift >= 0:
            bound += (numerator << shift) // scale
        else:
            bound += numerator // (scale << -shift)
    return bound
