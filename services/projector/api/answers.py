"""From what queries found to the messages of the contract."""

from fractions import Fraction
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import common_pb2
from rapport.v1 import capital_service_pb2 as capital

from services.projector.domain.entries import Entry
from services.projector.domain.facts import Pair
from services.projector.domain.receipt import Line
from services.projector.facts import initiative_number
from services.projector.queries.balances import RelationBalance
from services.projector.queries.question import Question
from services.projector.queries.receipts import Explanation
from services.projector.queries.snapshot import Snapshot
from services.runtime.clock import date_from_day, timestamp_from_instant
from services.runtime.policy import INCIDENT, Policy

_PEOPLE: Final = "people/"
_UNTOUCHED: Final = 1000
# Exact balances of a day centuries away have tens of thousands of digits, which nobody reads.
_EXACT_BITS_MAX: Final = 13_000


def date_message(day: int) -> common_pb2.Date:
    """A day since 2000-01-01 as a date of the calendar."""
    date = date_from_day(day)
    return common_pb2.Date(year=date.year, month=date.month, day=date.day)


def timestamp_message(instant_us: int) -> Timestamp:
    """An instant as a Timestamp."""
    seconds, nanos = timestamp_from_instant(instant_us)
    return Timestamp(seconds=seconds, nanos=nanos)


def relationship_name(pair: Pair) -> str:
    """`relationships/{a}~{b}` of two person names in order."""
    a, b = pair
    return f"relationships/{a.removeprefix(_PEOPLE)}~{b.removeprefix(_PEOPLE)}"


def balance_message(balance: RelationBalance) -> capital.Balance:
    """A balance."""
    message = capital.Balance(
        relationship=relationship_name(balance.pair),
        on=date_message(balance.on),
        know_mp=balance.know_mp,
        care_mp=balance.care_mp,
        buffer_mp=balance.buffer_mp,
        contact_days=balance.contact_days,
    )
    if balance.last_contact_day is not None:
        message.last_contact_on.CopyFrom(date_message(balance.last_contact_day))
    if balance.first_contact_day is not None:
        message.age_days = balance.on - balance.first_contact_day
    return message


def computed_message(snapshot: Snapshot, question: Question) -> capital.Computed:
    """What balances were computed with."""
    return capital.Computed(
        policy=question.policy.label,
        journal=snapshot.journal,
        position=question.position,
        on=date_message(question.on),
    )


def explanation_message(
    snapshot: Snapshot, question: Question, found: Explanation
) -> capital.ExplainBalanceResponse:
    """A receipt, and what weighs nothing."""
    exact = found.receipt.balance
    return capital.ExplainBalanceResponse(
        balance=balance_message(found.balance),
        computed=computed_message(snapshot, question),
        lines=[_line(line) for line in found.receipt.lines],
        ineffective=[
            capital.Ineffective(event_id=each.event_id, reason=each.reason)
            for each in found.weightless
        ],
        know_exact=_exact(exact.know),
        care_exact=_exact(exact.care),
    )


def policy_message(policy: Policy) -> capital.Policy:
    """A policy document."""
    return capital.Policy(
        policy=policy.label,
        name=policy.name,
        version=policy.version,
        hash=policy.hash,
        effective_from=date_message(policy.effective_from),
        policy_json=policy.canonical_json,
    )


def kind_messages(policy: Policy) -> list[capital.Kind]:
    """The kinds of a policy by name."""
    return [
        capital.Kind(
            kind=name,
            know_mp=kind.know,
            care_mp=kind.care,
            half_life_days=kind.half_life_days,
            little=kind.little,
            effort=kind.effort,
            structural=kind.structural,
            saturates=kind.saturate or "",
            default_initiative=initiative_number(kind.initiative),  # type: ignore[arg-type]
        )
        for name, kind in sorted(policy.kinds.items())
    ]


def _line(line: Line) -> capital.ReceiptLine:
    entry = line.entry
    touchpoint, refund, weight = entry.touchpoint, entry.refund, entry.weight
    if refund is None:
        base_know_mp, base_care_mp = weight.base_know_mp + weight.prep_mp, weight.base_care_mp
    else:
        base_know_mp, base_care_mp = abs(refund.incident_know_mp), abs(refund.incident_care_mp)
    return capital.ReceiptLine(
        event_id=entry.event_id,
        kind=touchpoint.kind,
        occurred_at=timestamp_message(touchpoint.instant_us),
        initiator=touchpoint.initiator,
        day=date_message(entry.day),
        effective_from=date_message(entry.effective_from),
        half_life_days=entry.half_life_days,
        base_know_mp=base_know_mp,
        base_care_mp=base_care_mp,
        factors=_factors(entry),
        know_mp=entry.know_mp,
        care_mp=entry.care_mp,
        know_left_mp=line.know_mp,
        care_left_mp=line.care_mp,
        relationship=relationship_name(touchpoint.pair),
    )


def _factors(entry: Entry) -> list[capital.Factor]:
    """The factors that can apply to the kind, in the order they do; those of 1000 left out.

    Saturation, attribution and the factors of a refund are always there where they can apply.
    """
    weight, refund = entry.weight, entry.refund
    if refund is not None:
        return [
            _factor("share", refund.share, refund.share),
            _factor("timeliness", refund.timeliness, refund.timeliness),
            _factor("repeat", refund.repeat, refund.repeat),
        ]
    if entry.touchpoint.kind == INCIDENT:
        return [_factor("attribution", weight.attribution, weight.attribution)]
    found = [
        _factor("effort", _UNTOUCHED, weight.effort),
        _factor("sentiment", weight.sentiment, weight.sentiment),
        _factor("audience", weight.audience, weight.audience),
        _factor("automated", weight.initiative, weight.initiative),
    ]
    found = [
        each for each in found if (each.know_per_mille, each.care_per_mille) != (_UNTOUCHED,) * 2
    ]
    if entry.know_rank is not None and entry.care_rank is not None:
        found.append(_factor("saturation", entry.know_rank.marginal, entry.care_rank.marginal))
    return found


def _factor(name: str, know: int, care: int) -> capital.Factor:
    return capital.Factor(name=name, know_per_mille=know, care_per_mille=care)


def _exact(value: Fraction) -> str:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _EXACT_BITS_MAX:
        return ""
    return f"{value.numerator}/{value.denominator}"
