"""Faults planted in valid histories: each breaks one promise, and leaves every other kept."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

from tests.faults.torture.records import (
    Acknowledged,
    BalanceAnswer,
    Definite,
    End,
    FinalBalance,
    Invoke,
    JournalRow,
    Ok,
    Operator,
    ParkedRow,
    Planted,
    Received,
    Sent,
    StandingsAnswer,
    StreamInfo,
    StreamRow,
    Subscribed,
    TimelineAnswer,
    Unknown,
)
from tests.support.deliveries import TODAY
from tests.support.torture_histories import JOURNAL, TENANT, renumbered

type Records = list[Any]
type Plant = Callable[[Records, Random], Records]


def _all[R](records: Records, kind: type[R]) -> list[R]:
    return [each for each in records if isinstance(each, kind)]


def _swap_in(records: Records, old: Any, *new: Any) -> Records:
    """The records with others in place of one."""
    return [put for each in records for put in (new if each is old else (each,))]


def _before_the_end(records: Records, *new: Any) -> Records:
    first = next(each for each in records if isinstance(each, JournalRow))
    return _swap_in(records, first, *new, first)


def _outcome(records: Records, call: int) -> Any:
    kinds = (Ok, Definite, Unknown)
    return next(each for each in records if isinstance(each, kinds) and each.call == call)


def _written_at_once(records: Records) -> list[tuple[Invoke, Ok]]:
    """Requests that write, acknowledged at the first attempt."""
    appends = [each for each in _all(records, Invoke) if each.op == "append"]
    found = [(each, _outcome(records, each.call)) for each in appends if each.attempt == 1]
    return [(invoke, ok) for invoke, ok in found if isinstance(ok, Ok)]


def _of_events(records: Records, event_id: str, sent: Any = None, told: Any = None) -> Records:
    """The records with an event changed wherever it is sent or acknowledged."""

    def one(events: Any) -> Any:
        changes = {Sent: sent or {}, Acknowledged: told or {}}
        same = tuple(
            replace(each, **changes[type(each)]) if each.event_id == event_id else each
            for each in events or ()
        )
        return same or events

    return [
        replace(each, events=one(each.events)) if isinstance(each, Invoke | Ok) else each
        for each in records
    ]


def hole(records: Records, random: Random) -> Records:
    """A position is missing in the journal: all from it on stand one further, for everybody."""
    first = random.randint(1, len(_all(records, JournalRow)))

    def moved(record: Any) -> Any:
        names = ("position", "sequence", "position_header", "last_sequence", "from_position")
        changes: dict[str, Any] = {
            name: value + 1
            for name in (*names, "min_position")
            if (value := getattr(record, name, None)) is not None and value >= first
        }
        if isinstance(record, Ok) and record.events:
            changes["events"] = tuple(
                replace(each, position=each.position + (each.position >= first))
                for each in record.events
            )
        return replace(record, **changes)

    return [moved(each) for each in records]


def lost_append(records: Records, random: Random) -> Records:
    """An append that was acknowledged is nowhere."""
    sent = Sent(event_id="lost", home="relationships/p1~p2")
    told = Acknowledged(event_id="lost", position=1, revision=1, replayed=False)
    fields: dict[str, Any] = {"journal": JOURNAL, "tenant": TENANT, "client": "c9"}
    invoke = Invoke(call=9000, op="append", attempt=1, request=9000, events=(sent,), **fields)
    return _before_the_end(records, invoke, Ok(call=9000, events=(told,)))


def moved_append(records: Records, random: Random) -> Records:
    """An append is at another position than was acknowledged."""
    _, ok = random.choice(_written_at_once(records))
    (*first, last) = ok.events or ()
    elsewhere = replace(last, position=last.position + 1000)
    return _swap_in(records, ok, replace(ok, events=(*first, elsewhere)))


def answered_for_others(records: Records, random: Random) -> Records:
    """A call is answered for an event of which it said nothing."""
    _, ok = _written_at_once(records)[-1]
    planted = random.choice(_all(records, Planted)).event_id
    row = next(row for row in _all(records, JournalRow) if row.event_id == planted)
    fields: dict[str, Any] = {"position": row.position, "revision": row.revision}
    told = Acknowledged(event_id=planted, replayed=False, **fields)
    return _swap_in(records, ok, replace(ok, events=(told,)))


def double(records: Records, random: Random) -> Records:
    """An event stands in the journal twice."""
    rows = _all(records, JournalRow)
    chosen, head = random.choice(rows), len(rows)
    of_home = [row for row in rows if row.home == chosen.home]
    again = replace(
        chosen,
        position=head + 1,
        revision=len(of_home) + 1,
        recorded_at_us=rows[-1].recorded_at_us,
    )
    message = StreamRow(
        journal=JOURNAL,
        sequence=head + 1,
        position_header=head + 1,
        event_id=again.event_id,
        sha256=again.sha256,
    )
    ended = [
        replace(each, position=head + 1)
        if isinstance(each, FinalBalance)
        else replace(each, last_sequence=head + 1)
        if isinstance(each, StreamInfo)
        else each
        for each in records
    ]
    return _before_the_end(ended, again, message)


def skipped_revision(records: Records, random: Random) -> Records:
    """A home's last event counts one revision too many, and was acknowledged so."""
    acknowledged = {e.event_id for _, ok in _written_at_once(records) for e in ok.events or ()}
    last = {row.home: row for row in _all(records, JournalRow)}
    row = random.choice([row for row in last.values() if row.event_id in acknowledged])
    told, sent = {"revision": row.revision + 1}, {"expected_revision": None}
    changed = _of_events(records, row.event_id, sent=sent, told=told)
    return _swap_in(changed, row, replace(row, revision=row.revision + 1))


def recorded_earlier(records: Records, random: Random) -> Records:
    """recorded_at goes back."""
    rows = _all(records, JournalRow)
    number = random.randrange(1, len(rows))
    earlier_us = rows[number - 1].recorded_at_us - 1
    return _swap_in(records, rows[number], replace(rows[number], recorded_at_us=earlier_us))


def other_bytes(records: Records, random: Random) -> Records:
    """Other bytes are stored than were sent."""
    invoke, _ = random.choice(_written_at_once(records))
    return _of_events(records, (invoke.events or ())[0].event_id, sent={"sha256": "0" * 64})


def other_home(records: Records, random: Random) -> Records:
    """An event is stored in another home than it was sent for."""
    return _sent_otherwise(records, random, home="relationships/p8~p9")


def other_type(records: Records, random: Random) -> Records:
    """An event is stored as one of another type."""
    return _sent_otherwise(records, random, event_type="rapport.events.v1.Corrected")


def other_kind(records: Records, random: Random) -> Records:
    """An event is stored as one of another kind."""
    return _sent_otherwise(records, random, kind="another")


def other_time(records: Records, random: Random) -> Records:
    """An event is stored as if it had occurred at another time."""
    return _sent_otherwise(records, random, occurred_at_us=1)


def other_time_than_recorded(records: Records, random: Random) -> Records:
    """An event sent without a time is not stored as of when it was recorded."""
    return _sent_otherwise(records, random, occurred_at_us=None)


def _sent_otherwise(records: Records, random: Random, **sent: Any) -> Records:
    invoke, _ = random.choice(_written_at_once(records))
    return _of_events(records, (invoke.events or ())[0].event_id, sent=sent)


def other_payload(records: Records, random: Random) -> Records:
    """The bytes of a poison event are not those that were hashed."""
    planted = random.choice(_all(records, Planted)).event_id
    row = next(row for row in _all(records, JournalRow) if row.event_id == planted)
    return _swap_in(records, row, replace(row, payload_b64="AAAA"))


def unsent_event(records: Records, random: Random) -> Records:
    """An event stands in the journal that nobody sent."""
    planted = random.choice(_all(records, Planted))
    (parked,) = (p for p in _all(records, ParkedRow) if p.event_id == planted.event_id)
    return _swap_in(_swap_in(records, planted), parked)


def told_two_positions(records: Records, random: Random) -> Records:
    """An event is acknowledged again, at another position."""
    invoke, ok = random.choice(_written_at_once(records))
    events = tuple(replace(e, position=e.position + 1, replayed=True) for e in ok.events or ())
    again = replace(invoke, call=9000, attempt=2)
    return _before_the_end(records, again, Ok(call=9000, events=events))


def swapped_pair(records: Records, random: Random) -> Records:
    """The later of two requests was acknowledged before the earlier was sent."""
    (a, ok_a), (b, ok_b) = _written_at_once(records)[-2:]
    moved = _swap_in(_swap_in(records, a, b), ok_a, ok_b)
    index_b, index_ok = (max(i for i, e in enumerate(moved) if e is x) for x in (b, ok_b))
    moved[index_b], moved[index_ok] = a, ok_a
    return moved


def refused_and_written(records: Records, random: Random) -> Records:
    """A definite error, and the events are in the journal."""
    _, ok = random.choice(_written_at_once(records))
    return _swap_in(records, ok, Definite(call=ok.call, reason="LEDGER_BUSY"))


def replay_of_nothing(records: Records, random: Random) -> Records:
    """The only attempt is told that it replays."""
    _, ok = random.choice(_written_at_once(records))
    events = tuple(replace(each, replayed=True) for each in ok.events or ())
    return _swap_in(records, ok, replace(ok, events=events))


def new_twice(records: Records, random: Random) -> Records:
    """A retry is told that it wrote what an earlier attempt had written unheard."""
    retry, ok = random.choice(_retries(records, replayed=True))
    events = tuple(replace(each, replayed=False) for each in ok.events or ())
    rest = _swap_in(_swap_in(records, retry), ok)
    return _before_the_end(rest, retry, replace(ok, events=events))


def never_resolved(records: Records, random: Random) -> Records:
    """An unknown outcome after which nobody tried again."""
    retries = _retries(records, replayed=True) + _retries(records, replayed=False)
    retry, ok = random.choice(retries)
    return _swap_in(_swap_in(records, retry), ok)


def _retries(records: Records, replayed: bool) -> list[tuple[Invoke, Ok]]:
    """Attempts after one of unknown outcome."""
    found = []
    for invoke in _all(records, Invoke):
        if invoke.attempt == 2 and isinstance(invoke.request, int):
            ok = _outcome(records, invoke.call)
            unknown = isinstance(_outcome(records, invoke.request), Unknown)
            if unknown and ok.events[0].replayed == replayed:
                found.append((invoke, ok))
    return found


def ignored_condition(records: Records, random: Random) -> Records:
    """Written although the home was at another revision than expected."""
    _, ok = random.choice(_written_at_once(records))
    event = random.choice(ok.events or ())
    return _of_events(records, event.event_id, sent={"expected_revision": event.revision + 3})


def foreign_message(records: Records, random: Random) -> Records:
    """A message of the stream is another event's."""
    row = random.choice(_all(records, StreamRow))
    return _swap_in(records, row, replace(row, event_id="foreign"))


def changed_message(records: Records, random: Random) -> Records:
    """A message of the stream has other bytes."""
    row = random.choice(_all(records, StreamRow))
    return _swap_in(records, row, replace(row, sha256="0" * 64))


def swapped_messages(records: Records, random: Random) -> Records:
    """Two messages of the stream stand in each other's place."""
    rows = _all(records, StreamRow)
    number = random.randrange(1, len(rows))
    a, b = rows[number - 1], rows[number]
    changed = _swap_in(records, a, replace(a, event_id=b.event_id, sha256=b.sha256))
    return _swap_in(changed, b, replace(b, event_id=a.event_id, sha256=a.sha256))


def missing_message(records: Records, random: Random) -> Records:
    """The stream has a hole."""
    return _swap_in(records, random.choice(_all(records, StreamRow)[:-1]))


def unread_stream(records: Records, random: Random) -> Records:
    """The stream says that it has all, and not one message of it was read."""
    return [each for each in records if not isinstance(each, StreamRow)]


def emptied_stream(records: Records, random: Random) -> Records:
    """The stream says that it begins beyond the head, and is empty."""
    (info,) = _all(records, StreamInfo)
    empty = replace(info, first_sequence=info.last_sequence + 1)
    return _swap_in(unread_stream(records, random), info, empty)


def cut_tail(records: Records, random: Random) -> Records:
    """The stream's tail is gone."""
    rows, (info,) = _all(records, StreamRow), _all(records, StreamInfo)
    kept = random.randrange(len(rows))
    changed = _swap_in(records, info, replace(info, last_sequence=kept))
    return [each for each in changed if not (isinstance(each, StreamRow) and each.sequence > kept)]


def skipped_by_a_subscriber(records: Records, random: Random) -> Records:
    """A subscriber never saw one."""
    return _swap_in(records, random.choice(_inner_received(records)))


def seen_twice(records: Records, random: Random) -> Records:
    """A subscriber saw one twice."""
    record = random.choice(_inner_received(records))
    return _swap_in(records, record, record, record)


def _inner_received(records: Records) -> list[Received]:
    return [each for each in _all(records, Received) if each.subscription == "s1"][:-1]


def resumed_elsewhere(records: Records, random: Random) -> Records:
    """A subscription goes on further than where it was."""
    record = [each for each in _all(records, Subscribed) if each.subscription == "s1"][-1]
    return _swap_in(records, record, replace(record, from_position=record.from_position + 1))


def subscriber_handed_another(records: Records, random: Random) -> Records:
    """A subscriber was handed other bytes."""
    record = random.choice(_all(records, Received))
    return _swap_in(records, record, replace(record, sha256="0" * 64))


def stale_read(records: Records, random: Random) -> Records:
    """A read was answered as of before the position it asked for."""
    invoke = random.choice([each for each in _all(records, Invoke) if each.op != "append"])
    least = (invoke.min_position or 0) + 1
    return _swap_in(records, invoke, replace(invoke, min_position=least))


def wrong_balance(records: Records, random: Random) -> Records:
    """A balance, the buffer of a list or a timeline is not the fold's."""
    ok = random.choice([each for each in _all(records, Ok) if each.answer is not None])
    match ok.answer:
        case BalanceAnswer() as said:
            answer: Any = replace(said, care_mp=said.care_mp + 1)
        case StandingsAnswer(pairs=(one, *_)):
            changed = replace(one, buffer_mp=one.buffer_mp - 1)
            answer = replace(ok.answer, pairs=(changed, *ok.answer.pairs[1:]))
        case TimelineAnswer() as page:
            states = (*page.states, 1)
            answer = replace(page, event_ids=(*page.event_ids, "more"), states=states)
    return _swap_in(records, ok, replace(ok, answer=answer))


def forgotten_in_a_list(records: Records, random: Random) -> Records:
    """A list leaves out a relationship, and is right about those it has."""
    told = [(ok, ok.answer) for ok in _all(records, Ok)]
    lists = [(ok, said) for ok, said in told if isinstance(said, StandingsAnswer) and said.pairs]
    ok, said = random.choice(lists)
    return _swap_in(records, ok, replace(ok, answer=replace(said, pairs=said.pairs[1:])))


def went_back(records: Records, random: Random) -> Records:
    """A replica answers from before what it answered the same caller already."""
    head = len(_all(records, JournalRow))
    final = random.choice(_all(records, FinalBalance))
    now = final.know_mp, final.care_mp, final.buffer_mp
    new: Records = []
    for call, position, amounts in ((9000, head, now), (9001, 0, (0, 0, 0))):
        fields: dict[str, Any] = {"journal": JOURNAL, "tenant": TENANT, "client": "c9"}
        fields |= {"a": final.a, "b": final.b, "on_day": TODAY, "min_position": 0}
        new.append(Invoke(call=call, op="balance", attempt=1, request=call, **fields))
        know_mp, care_mp, buffer_mp = amounts
        said = BalanceAnswer(know_mp=know_mp, care_mp=care_mp, buffer_mp=buffer_mp)
        new.append(Ok(call=call, position=position, target="projector-1", answer=said))
    return _before_the_end(records, *new)


def wrong_final_balance(records: Records, random: Random) -> Records:
    """A projector is wrong at the end."""
    final = random.choice(_all(records, FinalBalance))
    return _swap_in(records, final, replace(final, know_mp=final.know_mp - 1))


def unasked_at_the_end(records: Records, random: Random) -> Records:
    """A relationship was not looked at on one projector."""
    return _swap_in(records, random.choice(_all(records, FinalBalance)))


def silent_projector(records: Records, random: Random) -> Records:
    """One projector was never asked at the end."""
    replica = random.choice(_all(records, FinalBalance)).replica
    return [r for r in records if not (isinstance(r, FinalBalance) and r.replica == replica)]


def taken_poison(records: Records, random: Random) -> Records:
    """A poison event is in the journal, and is not parked."""
    return _swap_in(records, random.choice(_all(records, ParkedRow)))


def parked_without_reason(records: Records, random: Random) -> Records:
    """An event that is no poison is parked."""
    row = random.choice([r for r in _all(records, JournalRow) if r.home != "people/x"])
    fields: dict[str, Any] = {"position": row.position, "event_id": row.event_id}
    return _before_the_end(records, ParkedRow(journal=JOURNAL, reason="?", **fields))


def needless_rebuild(records: Records, random: Random) -> Records:
    """The operator rebuilds a stream once more, and nothing foreign has come into it since."""
    again = _all(records, Operator)[-2:]
    return _before_the_end(records, *again)


def given_up(records: Records, random: Random) -> Records:
    """The run did not come to rest."""
    return [*records[:-1], End(settled=False)]


def broken_off(records: Records, random: Random) -> Records:
    """The history ends before its end."""
    return records[:-1]


def answered_twice(records: Records, random: Random) -> Records:
    """A call has two outcomes."""
    ok = random.choice(_all(records, Ok))
    return _swap_in(records, ok, ok, ok)


PLANTS: Final[dict[Plant, str]] = {
    hole: "positions",
    lost_append: "acknowledged",
    moved_append: "acknowledged",
    answered_for_others: "acknowledged",
    double: "once",
    skipped_revision: "revisions",
    recorded_earlier: "recorded_order",
    other_bytes: "stored_bytes",
    other_payload: "stored_bytes",
    other_home: "as_sent",
    other_type: "as_sent",
    other_kind: "as_sent",
    other_time: "as_sent",
    other_time_than_recorded: "as_sent",
    unsent_event: "invented",
    told_two_positions: "acknowledged_once",
    swapped_pair: "real_time",
    refused_and_written: "definite",
    replay_of_nothing: "replayed",
    new_twice: "replayed",
    never_resolved: "resolved",
    ignored_condition: "expected_revision",
    foreign_message: "stream_equal",
    changed_message: "stream_equal",
    swapped_messages: "stream_equal",
    missing_message: "stream_whole",
    unread_stream: "stream_whole",
    emptied_stream: "stream_whole",
    cut_tail: "stream_head",
    skipped_by_a_subscriber: "subscribed_order",
    seen_twice: "subscribed_order",
    resumed_elsewhere: "subscribed_order",
    subscriber_handed_another: "subscribed_equal",
    stale_read: "fresh",
    wrong_balance: "answer",
    forgotten_in_a_list: "answer",
    went_back: "monotonic",
    wrong_final_balance: "final",
    unasked_at_the_end: "final",
    silent_projector: "final",
    taken_poison: "parked",
    parked_without_reason: "parked",
    needless_rebuild: "operated",
    given_up: "sound",
    broken_off: "sound",
    answered_twice: "sound",
}


def planted(plant: Plant, records: Records, seed: int) -> Records:
    """A valid history with a fault in it."""
    return renumbered(plant(records, Random(seed)))
