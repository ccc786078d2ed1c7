"""The seven rules written down again, slowly: one fraction per entry, nothing shared or cached.

Reads like the contract, section 5, so that both can be compared by eye; it shares with the domain
code only the facts, the policy document and the decay tables (whose hashes are golden).
"""

from collections.abc import Sequence
from fractions import Fraction

from services.projector.domain.decay import decay_table
from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from services.runtime.clock import US_PER_DAY, date_from_day
from services.runtime.policy import Policy, default_policy

HOUR_US = US_PER_DAY // 24
type Posted = list[tuple[int, int, int, int]]


def in_effect(facts: Sequence[Fact]) -> list[Touchpoint]:
    """Touchpoints after voids and corrections."""
    voids = {f.event_id: f for f in facts if isinstance(f, Void)}
    corrections = {f.event_id: f for f in facts if isinstance(f, Correction)}
    voided = {v.target for v in voids.values() if v.target not in voids}
    result = []
    for original in {f.event_id: f for f in facts if isinstance(f, Touchpoint)}.values():
        if original.event_id in voided:
            continue
        mine = [
            c
            for c in corrections.values()
            if c.replaces == original.event_id
            and c.event_id not in voided
            and {c.replacement.initiator, c.replacement.counterpart}
            == {original.initiator, original.counterpart}
        ]
        if not mine:
            result.append(original)
            continue
        last = max(mine, key=lambda c: c.position)
        fields = {s: getattr(last.replacement, s) for s in Touchpoint._fields}
        fields["event_id"] = original.event_id
        if last.keeps_instant:
            fields["instant_us"] = original.instant_us
        result.append(Touchpoint(**fields))
    return result


def weigh(t: Touchpoint, policy: Policy) -> tuple[Fraction, Fraction]:
    """Rules 1 to 4, exactly."""
    kind = policy.kinds[t.kind]
    if t.kind == "incident":
        know, care = policy.incident.severity[t.severity or 0]
        share = Fraction(policy.incident.attribution[t.attribution or "UNKNOWN"], 1000)  # type: ignore[index]
        return know * share, care * share
    know_exact, care_exact = Fraction(kind.know), Fraction(kind.care)
    know_exact += min(t.prep_minutes or 0, 120) * 25
    if kind.effort and t.live_minutes is not None:
        live = t.live_minutes
        if live < 15:
            effort = 1000
        elif live < 60:
            effort = 1000 + (live - 15) * 250 // 45
        elif live < 180:
            effort = 1250 + (live - 60) * 500 // 120
        else:
            effort = 1750
        care_exact *= Fraction(effort, 1000)
    factor = Fraction(1)
    if kind.know >= 0 and kind.care >= 0:
        factor *= {
            -2: Fraction(-1),
            -1: Fraction(1, 4),
            1: Fraction(11, 10),
            2: Fraction(5, 4),
        }.get(t.sentiment or 0, Fraction(1))
    factor *= {"FEW": Fraction(1, 2), "MANY": Fraction(0)}.get(t.audience or "ONE", Fraction(1))
    if (t.initiative or kind.initiative) == "AUTOMATED":
        factor /= 10
    return know_exact * factor, care_exact * factor


def saturated(t: Touchpoint, cell: list[Touchpoint], account: int, policy: Policy) -> int:
    """Rule 5."""

    def key(other: Touchpoint) -> tuple[Fraction, int, str]:
        return -abs(weigh(other, policy)[account]), other.instant_us, other.event_id

    place = sorted(cell, key=key).index(t)
    m = [1000, 600, 400, 300, 200, 150, 100, 50, 50, 50, 50, 50]
    return round(weigh(t, policy)[account] * (m[place] if place < 12 else 0) / 1000)


def refund(step: Touchpoint, known: list[Touchpoint], policy: Policy) -> Posted:
    """Rule 6."""
    incidents = [i for i in known if i.kind == "incident" and i.event_id == step.resolves]
    if not incidents:
        return []
    incident = incidents[0]
    valid = sorted(
        (
            s
            for s in known
            if s.kind == "recovery"
            and s.resolves == incident.event_id
            and s.pair == incident.pair
            and s.instant_us >= incident.instant_us
        ),
        key=lambda s: (s.instant_us, s.event_id),
    )
    same = [s for s in valid if s.recovery_step == step.recovery_step]
    if step not in same or same[0] is not step:
        return []
    sla_us = {"x": 3, "facebook": 6, "email": 24, "phone": 1}.get(incident.channel, 24) * HOUR_US
    elapsed_us = valid[0].instant_us - incident.instant_us
    timeliness = 1000 if elapsed_us <= sla_us else 750 if elapsed_us <= 2 * sla_us else 500
    repeated = any(
        o.kind == "incident"
        and o.pair == incident.pair
        and o.category == incident.category
        and incident.instant_us - 90 * 24 * HOUR_US <= o.instant_us < incident.instant_us
        for o in known
    )
    share = {"APOLOGY": 150, "FIX": 500, "COMPENSATION": 200, "FOLLOW_UP": 150}[
        step.recovery_step or ""
    ]
    factor = Fraction(share * timeliness * (500 if repeated else 1000), 1000**3)
    know, care = (round(x) for x in weigh(incident, policy))
    return [(round(abs(know) * factor), round(abs(care) * factor), 180, incident.day)]


def balance(
    touchpoints: Sequence[Touchpoint], pair: tuple[str, str], on: int
) -> tuple[Fraction, Fraction]:
    """KNOW and CARE of one raw pair on a day under default@1, exactly."""
    policy = default_policy()
    known = [t for t in touchpoints if t.day <= on and t.pair == pair and t.kind in policy.kinds]
    posted: Posted = []
    for t in known:
        kind = policy.kinds[t.kind]
        if t.kind == "recovery":
            posted += refund(t, known, policy)
        elif kind.saturate:
            week = date_from_day(t.day).isocalendar()[:2]
            cell = [
                o
                for o in known
                if policy.kinds[o.kind].saturate == kind.saturate
                and o.initiator == t.initiator
                and date_from_day(o.day).isocalendar()[:2] == week
            ]
            know, care = saturated(t, cell, 0, policy), saturated(t, cell, 1, policy)
            posted.append((know, care, kind.half_life_days, t.day))
        else:
            know, care = (round(x) for x in weigh(t, policy))
            posted.append((know, care, kind.half_life_days, t.day))
    return _sum(posted, 0, on), _sum(posted, 1, on)


def _sum(posted: Posted, account: int, on: int) -> Fraction:
    total = Fraction(0)
    for entry in posted:
        half_life, day = entry[2], entry[3]
        table = decay_table(half_life)
        halvings = on // half_life - day // half_life
        total += Fraction(entry[account] * table[day % half_life], table[on % half_life]) / (
            2**halvings
        )
    return total
