"""Rules about answers of the projectors: during the run, and at its end."""

from collections import defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import zip_longest

from services.projector.domain.facts import Pair
from tests.faults.torture.checker_folds import TenantFold
from tests.faults.torture.checker_index import History, Journal, Violation
from tests.faults.torture.records import (
    BalanceAnswer,
    FinalBalance,
    Invoke,
    Ok,
    StandingsAnswer,
    TimelineAnswer,
)

type Asked = tuple[Invoke, Ok]


def fresh(history: History) -> Iterator[Violation]:
    """Decision 7, read your writes: an answer is never of an earlier position than asked for."""
    for invoke, ok in history.reads():
        least = invoke.min_position or 0
        if ok.position is not None and ok.position < least:
            message = f"{invoke.journal}: answered as of {ok.position}, asked for {least}"
            yield Violation("fresh", message, (invoke.n, ok.n))


def monotonic(history: History) -> Iterator[Violation]:
    """Decision 4: one replica never answers a caller from before what it answered it already.

    Only calls that did not overlap; the replica has to be known.
    """
    reads: defaultdict[tuple[str, str, str], list[Asked]] = defaultdict(list)
    for invoke, ok in history.reads():
        if ok.target is not None and ok.position is not None:
            reads[invoke.client, ok.target, invoke.journal].append((invoke, ok))
    for (client, target, _), calls in reads.items():
        open_calls: list[tuple[int, int]] = []
        highest = (0, 0)
        for invoke, ok in calls:
            while open_calls and open_calls[0][0] < invoke.n:
                n, position = heappop(open_calls)
                highest = max(highest, (position, n))
            assert ok.position is not None
            if ok.position < highest[0]:
                message = f"{target} told {client} {highest[0]}, then {ok.position}"
                yield Violation("monotonic", message, (highest[1], ok.n))
            heappush(open_calls, (ok.n, ok.position))


def answers(history: History) -> Iterator[Violation]:
    """Decision 4: read models are the fold of the journal, exactly, up to the position they state.

    Two rules in one walk through each journal: `answer` for reads during the run, `final` for what
    every projector says of every relationship at the end, as of the head.
    """
    reads: defaultdict[str, list[Asked]] = defaultdict(list)
    for invoke, ok in history.reads():
        reads[invoke.journal].append((invoke, ok))
    replicas = set(history.run.replicas) if history.run is not None else set()
    for name, journal in history.journals.items():
        yield from _walk(name, journal, reads[name], replicas, history.planted)


def _walk(
    name: str, journal: Journal, reads: list[Asked], replicas: set[str], planted: set[str]
) -> Iterator[Violation]:
    folds: defaultdict[str, TenantFold] = defaultdict(TenantFold)
    reads.sort(key=lambda asked: asked[1].position or 0)
    rows = iter(journal.rows)
    row = next(rows, None)
    for invoke, ok in reads:
        position = ok.position or 0
        if position > journal.head:
            message = f"{name}: answered as of {position}, beyond the head {journal.head}"
            yield Violation("answer", message, (invoke.n, ok.n))
            continue
        while row is not None and row.position <= position:
            if row.event_id not in planted:
                folds[row.tenant].tell(row)
            row = next(rows, None)
        wrong = _difference(folds[invoke.tenant], invoke, ok)
        if wrong:
            yield Violation("answer", f"{name} at {position}: {wrong}", (invoke.n, ok.n))
    while row is not None:
        if row.event_id not in planted:
            folds[row.tenant].tell(row)
        row = next(rows, None)
    yield from _finals(name, journal, folds, replicas)


def _difference(fold: TenantFold, invoke: Invoke, ok: Ok) -> str:
    """What is wrong with an answer; empty for nothing."""
    a, b, on = invoke.a or "", invoke.b or "", invoke.on_day or 0
    match ok.answer:
        case BalanceAnswer() as said:
            told = said.know_mp, said.care_mp, said.buffer_mp
            expected = fold.balance(a, b, on)
            return "" if told == expected else f"{a}~{b} on {on}: {told}, the fold: {expected}"
        case TimelineAnswer() as page:
            lines = fold.timeline(a, b, page.limit)
            same = lines == (page.event_ids, page.states)
            return "" if same else f"the timeline of {a}~{b} is not the fold's"
        case StandingsAnswer() as page:
            listed = [(each.buffer_mp, each.a, each.b) for each in page.pairs]
            due = fold.standings(on)[: page.limit]
            differences = [pair for pair in zip_longest(listed, due) if pair[0] != pair[1]]
            if differences:
                one, other = differences[0]
                return f"the list on {on}: {one}, the fold: {other}"
    return ""


def _finals(
    name: str, journal: Journal, folds: dict[str, TenantFold], replicas: set[str]
) -> Iterator[Violation]:
    told: defaultdict[tuple[str, str], set[Pair]] = defaultdict(set)
    for final in journal.finals:
        fold = folds[final.tenant]
        told[final.tenant, final.replica].add(fold.canonical(final.a, final.b))
        wrong = _final_difference(final, fold, journal.head)
        if wrong:
            message = f"{name}: {final.replica} of {final.a}~{final.b}: {wrong}"
            yield Violation("final", message, (final.n,))
    for tenant, fold in folds.items():
        relationships = fold.relationships()
        if relationships and not replicas:
            yield Violation("final", f"{name}: no projector was asked at the end")
        for replica in sorted(replicas):
            missing = relationships - told[tenant, replica]
            if missing:
                message = f"{name}: {replica} was not asked about {len(missing)} of {tenant}"
                yield Violation("final", f"{message}, first {min(missing)}")


def _final_difference(final: FinalBalance, fold: TenantFold, head: int) -> str:
    if final.position != head:
        return f"answers as of {final.position}, the head is {head}"
    told = final.know_mp, final.care_mp, final.buffer_mp
    expected = fold.balance(final.a, final.b, final.on_day)
    return "" if told == expected else f"{told}, the fold: {expected}"


def parked(history: History) -> Iterator[Violation]:
    """Decision 5: the poison that was planted is parked, and nothing else is."""
    for name, journal in history.journals.items():
        put_aside = {row.event_id for row in journal.parked}
        for row in journal.rows:
            if row.event_id in history.planted - put_aside:
                message = f"{name}: {row.event_id} at {row.position} is poison, and not parked"
                yield Violation("parked", message, (row.n,))
        for aside in journal.parked:
            if aside.event_id not in history.planted:
                message = f"{name}: {aside.event_id} at {aside.position} is parked: {aside.reason}"
                yield Violation("parked", message, (aside.n,))
