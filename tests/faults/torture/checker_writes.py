"""Rules about what callers who write were told."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.faults.torture.checker_index import EventKey, History, KnownHeads, Violation
from tests.faults.torture.records import Acknowledged, Definite, Invoke, Ok, Unknown

type Told = tuple[Invoke, Ok, Acknowledged]


def _told(history: History) -> Iterator[tuple[EventKey, Told]]:
    for invoke, outcome in history.writes():
        if isinstance(outcome, Ok):
            for event in outcome.events or ():
                yield (invoke.journal, invoke.tenant, event.event_id), (invoke, outcome, event)


def acknowledged(history: History) -> Iterator[Violation]:
    """Decision 1: what was acknowledged is in the journal, at the position and revision told.

    All of a call's events are acknowledged, in their order. Events told two positions are left to
    `acknowledged_once`.
    """
    places: defaultdict[EventKey, set[int]] = defaultdict(set)
    for key, (_, _, event) in _told(history):
        places[key].add(event.position)
    for key, (invoke, ok, event) in _told(history):
        row = history.row_of(key)
        if row is None:
            message = f"{key[0]}: {event.event_id} was acknowledged at {event.position} and is lost"
            yield Violation("acknowledged", message, (invoke.n, ok.n))
        elif len(places[key]) == 1 and row.position != event.position:
            message = f"{key[0]}: {event.event_id} is at {row.position}, told: {event.position}"
            yield Violation("acknowledged", message, (ok.n, row.n))
        elif row.position == event.position and row.revision != event.revision:
            message = f"{key[0]}: {event.event_id} is revision {row.revision} of its home"
            yield Violation("acknowledged", f"{message}, told: {event.revision}", (ok.n, row.n))
    for invoke, outcome in history.writes():
        if isinstance(outcome, Ok):
            sent = [event.event_id for event in invoke.events or ()]
            if sent != [event.event_id for event in outcome.events or ()]:
                message = f"{invoke.journal}: call {invoke.call} was answered for other events"
                yield Violation("acknowledged", message, (invoke.n, outcome.n))


def acknowledged_once(history: History) -> Iterator[Violation]:
    """Domain, "idempotency": the first result again, for ever; so never two positions of one id."""
    first: dict[EventKey, Told] = {}
    for key, told in _told(history):
        _, ok, event = first.setdefault(key, told)
        if told[2].position != event.position:
            message = f"{key[0]}: {event.event_id} told {event.position}, then {told[2].position}"
            yield Violation("acknowledged_once", message, (ok.n, told[1].n))


def real_time(history: History) -> Iterator[Violation]:
    """Decision 1, commit order: what was acknowledged before another was first sent is before it.

    Promised for each relationship, and kept for the whole journal, which is what is checked.
    """
    acks: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for key, (_, ok, _) in _told(history):
        row = history.row_of(key)
        if row is not None:
            acks[key[0]].append((ok.n, row.position, row.home))
    sent: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for key, attempts in history.attempts.items():
        row = history.row_of(key)
        if row is not None:
            sent[key[0]].append((attempts[0][0].n, row.position, row.home))
    for name, later in sent.items():
        earlier = iter(sorted(acks[name]))
        ack = next(earlier, None)
        highest = (0, 0, "")
        for n, position, home in sorted(later):
            while ack is not None and ack[0] < n:
                highest = max(highest, (ack[1], ack[0], ack[2]))
                ack = next(earlier, None)
            if position < highest[0]:
                where = "the same home" if home == highest[2] else "another home"
                message = f"{name}: sent after {highest[0]} of {where} was told, is at {position}"
                yield Violation("real_time", message, (highest[1], n))


def definite(history: History) -> Iterator[Violation]:
    """Decision 8: after a definite error nothing of the batch is written.

    Unless another attempt with the same id was acknowledged, or may have written it unheard.
    """
    for invoke, outcome in history.writes():
        if not isinstance(outcome, Definite):
            continue
        for sent in invoke.events or ():
            key = (invoke.journal, invoke.tenant, sent.event_id)
            row = history.row_of(key)
            if row is not None and not _may_have_written(history, key):
                message = f"{key[0]}: refused ({outcome.reason}), and yet at {row.position}"
                yield Violation("definite", message, (invoke.n, outcome.n, row.n))


def _may_have_written(history: History, key: EventKey) -> bool:
    """Whether any attempt was not refused for certain."""
    return any(
        not isinstance(history.outcomes.get(attempt.call), Definite)
        for attempt, _ in history.attempts[key]
    )


def replayed(history: History) -> Iterator[Violation]:
    """Domain, "idempotency": a result is told to be a replay exactly when the event was there.

    So only one call is told of an event without the mark; the mark takes another attempt that may
    have written; and without it, after an attempt of unknown outcome, the event stands beyond
    every position that anybody knew of when the call was sent. One call of an ingest may be several
    attempts: a stream that breaks is taken up by the client, which sends anew what has no verdict.
    """
    heads = _known_heads(history)
    fresh: dict[EventKey, Ok] = {}
    for key, (invoke, ok, event) in _told(history):
        others = [each for each, _ in history.attempts.get(key, ()) if each.call != invoke.call]
        outcomes = [(each, history.outcomes.get(each.call)) for each in others]
        name = f"{key[0]}: {event.event_id}"
        if event.replayed:
            earlier = [told for o, told in outcomes if o.n < ok.n]
            if invoke.op != "ingest" and all(isinstance(told, Definite) for told in earlier):
                message = f"{name} is told to be a replay, and nobody can have written it"
                yield Violation("replayed", message, (invoke.n, ok.n))
            continue
        before = fresh.setdefault(key, ok)
        if before is not ok:
            message = f"{name} is told to be new twice"
            yield Violation("replayed", message, (before.n, ok.n))
        unknown = any(o.n < invoke.n and isinstance(told, Unknown) for o, told in outcomes)
        row = history.row_of(key)
        if unknown and row is not None and row.position <= heads[key[0]].before(invoke.n):
            message = f"{name} is told to be new, and was at {row.position} before"
            yield Violation("replayed", message, (invoke.n, ok.n))


def _known_heads(history: History) -> dict[str, KnownHeads]:
    told: dict[str, list[tuple[int, int]]] = {name: [] for name in history.journals}
    for key, (_, ok, _) in _told(history):
        row = history.row_of(key)
        if row is not None:
            told.setdefault(key[0], []).append((ok.n, row.position))
    return {name: KnownHeads(found) for name, found in told.items()}


def resolved(history: History) -> Iterator[Violation]:
    """Decision 8: an unknown outcome is resolved by trying again with the same ids.

    So the last attempt of a request that writes is acknowledged or refused for certain.
    """
    last: dict[tuple[str, int | str], Invoke] = {}
    for invoke, _ in history.writes():
        last[invoke.client, invoke.request] = invoke
    for invoke in last.values():
        outcome = history.outcomes.get(invoke.call)
        if outcome is None or isinstance(outcome, Unknown):
            message = f"{invoke.journal}: request {invoke.request} was left without an answer"
            yield Violation("resolved", message, (invoke.n,) + ((outcome.n,) if outcome else ()))


def atomic(history: History) -> Iterator[Violation]:
    """AppendEvents, IngestEvents: a batch is recorded whole or not at all, in its order.

    Whatever its outcome. Asked of the events of a batch that are in no other one: those that are
    may have been recorded with that.
    """
    seen: set[tuple[EventKey, ...]] = set()
    for invoke, _ in history.writes():
        keys = tuple((invoke.journal, invoke.tenant, each.event_id) for each in invoke.events or ())
        if keys in seen:
            continue
        seen.add(keys)
        ids = [each.event_id for each in invoke.events or ()]
        own = [key for key in keys if _always_with(history, key, ids)]
        rows = [row for key in own if (row := history.row_of(key)) is not None]
        if rows and len(rows) < len(own):
            message = f"{invoke.journal}: {len(rows)} of {len(own)} events of a batch are recorded"
            yield Violation("atomic", message, (invoke.n, rows[0].n))
        for before, row in pairwise(rows):
            if row.position <= before.position:
                message = f"{invoke.journal}: {row.event_id} is before what it was sent after"
                yield Violation("atomic", message, (invoke.n, before.n, row.n))


def _always_with(history: History, key: EventKey, ids: list[str]) -> bool:
    """Whether every attempt to write an event sent it among these, and in this order."""
    return all(
        [each.event_id for each in attempt.events or ()] == ids
        for attempt, _ in history.attempts[key]
    )


def expected_revision(history: History) -> Iterator[Violation]:
    """Domain, "revision": what was written on a condition was written when the condition held.

    Also what nobody was told of.
    """
    for key, attempts in history.attempts.items():
        row = history.row_of(key)
        if row is None:
            continue
        asked = {sent.expected_revision for _, sent in attempts}
        if None not in asked and row.revision - 1 not in asked:
            numbers = " or ".join(map(str, sorted(each for each in asked if each is not None)))
            message = f"{key[0]}: {row.home} was to be at {numbers}, was at {row.revision - 1}"
            yield Violation("expected_revision", message, (attempts[0][0].n, row.n))
