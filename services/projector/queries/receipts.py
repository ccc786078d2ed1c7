"""Receipts: a balance line by line, and the events that weigh nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.projector.domain.contact import contact_days
from services.projector.domain.effective import effective
from services.projector.domain.entries import Entry, fold
from services.projector.domain.facts import Fact, Pair, Touchpoint
from services.projector.domain.receipt import Receipt, receipt
from services.projector.queries.balances import Part, RelationBalance, relation_of, rounded
from services.projector.queries.history import History, read_histories, read_strays
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.runtime.policy import INCIDENT, RECOVERY

SAME_HUMAN = "same_human"
KIND_UNKNOWN = "kind_unknown"
STEP_WITHOUT_INCIDENT = "step_without_incident"
STEP_REPEATED = "step_repeated"


@dataclass(frozen=True, slots=True)
class Weightless:
    """An event that counts for nothing, and why, in words that do not change."""

    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A balance, what it consists of, and what does not count, by event id."""

    balance: RelationBalance
    receipt: Receipt
    weightless: tuple[Weightless, ...]


async def explain(snapshot: Snapshot, question: Question, pair: Pair) -> Explanation:
    """The receipt of the relationship that a pair of ids stands for: always by folding."""
    people = await read_identities(snapshot, pair, question.position)
    relation = relation_of(pair, people)
    raw = relation.raw or (pair,)
    histories = await read_histories(snapshot, raw, question.position)
    known = {fact.event_id for history in histories.values() for fact in history.facts}
    strays, elsewhere = await read_strays(snapshot, raw, known, question.position)
    everything = effective([*_facts(histories.values()), *strays])
    touchpoints = [each for each in everything.touchpoints if each.event_id not in elsewhere]
    weightless = {
        item.event_id: item.reason.value.lower()
        for item in everything.ineffective
        if item.event_id not in elsewhere
    }
    entries: Sequence[Entry] = ()
    days: Sequence[int] = ()
    if relation.raw:
        days = contact_days(touchpoints, question.policy, question.on)
        folded = fold(touchpoints, question.policy, question.on)
        entries = folded.entries
        weightless |= {each.event_id: KIND_UNKNOWN for each in folded.unknown}
        weightless |= _uncounted_steps(touchpoints, entries, question)
    else:
        weightless |= {each.event_id: SAME_HUMAN for each in touchpoints}
    made = receipt(entries, question.on)
    total = Part(made.balance, frozenset(days))
    return Explanation(
        rounded(relation.pair, total, question.on, question.policy),
        made,
        tuple(Weightless(event_id, reason) for event_id, reason in sorted(weightless.items())),
    )


def _facts(histories: Iterable[History]) -> list[Fact]:
    return [fact for history in histories for fact in history.facts]


def _uncounted_steps(
    touchpoints: Sequence[Touchpoint], entries: Sequence[Entry], question: Question
) -> dict[str, str]:
    """The recovery steps up to the day that post nothing: no incident to make good, or again."""
    posted = {entry.event_id for entry in entries}
    incidents = {entry.event_id: entry.touchpoint for entry in entries if _is_incident(entry)}
    reasons = {}
    for step in touchpoints:
        if step.kind != RECOVERY or step.event_id in posted or step.day > question.on:
            continue
        if RECOVERY not in question.policy.kinds:
            continue  # listed as of an unknown kind
        incident = incidents.get(step.resolves)
        fits = (
            incident is not None
            and step.recovery_step is not None
            and incident.pair == step.pair
            and incident.instant_us <= step.instant_us
        )
        reasons[step.event_id] = STEP_REPEATED if fits else STEP_WITHOUT_INCIDENT
    return reasons


def _is_incident(entry: Entry) -> bool:
    return entry.touchpoint.kind == INCIDENT
