"""Faults planted in what the journal holds, and in what callers who write are told."""

from dataclasses import replace
from random import Random
from typing import Any

from tests.faults.torture.records import (
    Acknowledged,
    Definite,
    FinalBalance,
    Invoke,
    JournalRow,
    Ok,
    ParkedRow,
    Planted,
    Sent,
    StreamInfo,
    StreamRow,
    Unknown,
)
from tests.support.torture_histories import JOURNAL, TENANT
from tests.support.torture_plants_common import (
    Records,
    all_of,
    before_the_end,
    outcome_of,
    swap_in,
    with_event,
    written_at_once,
)


def hole(records: Records, random: Random) -> Records:
    """A position is missing in the journal: all from it on stand one further, for everybody."""
    first = random.randint(1, len(all_of(records, JournalRow)))

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
    return before_the_end(records, invoke, Ok(call=9000, events=(told,)))


def moved_append(records: Records, random: Random) -> Records:
    """An append is at another position than was acknowledged."""
    _, ok = random.choice(written_at_once(records))
    (*first, last) = ok.events or ()
    elsewhere = replace(last, position=last.position + 1000)
    return swap_in(records, ok, replace(ok, events=(*first, elsewhere)))


def answered_for_others(records: Records, random: Random) -> Records:
    """A call is answered for an event of which it said nothing."""
    _, ok = written_at_once(records)[-1]
    planted = random.choice(all_of(records, Planted)).event_id
    row = next(row for row in all_of(records, JournalRow) if row.event_id == planted)
    fields: dict[str, Any] = {"position": row.position, "revision": row.revision}
    told = Acknowledged(event_id=planted, replayed=False, **fields)
    return swap_in(records, ok, replace(ok, events=(told,)))


def double(records: Records, random: Random) -> Records:
    """An event stands in the journal twice."""
    rows = all_of(records, JournalRow)
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
    return before_the_end(ended, again, message)


def skipped_revision(records: Records, random: Random) -> Records:
    """A home's last event counts one revision too many, and was acknowledged so."""
    acknowledged = {e.event_id for _, ok in written_at_once(records) for e in ok.events or ()}
    last = {row.home: row for row in all_of(records, JournalRow)}
    row = random.choice([row for row in last.values() if row.event_id in acknowledged])
    told, sent = {"revision": row.revision + 1}, {"expected_revision": None}
    changed = with_event(records, row.event_id, sent=sent, told=told)
    return swap_in(changed, row, replace(row, revision=row.revision + 1))


def recorded_earlier(records: Records, random: Random) -> Records:
    """recorded_at goes back."""
    rows = all_of(records, JournalRow)
    number = random.randrange(1, len(rows))
    earlier_us = rows[number - 1].recorded_at_us - 1
    return swap_in(records, rows[number], replace(rows[number], recorded_at_us=earlier_us))


def other_bytes(records: Records, random: Random) -> Records:
    """Other bytes are stored than were sent."""
    invoke, _ = random.choice(written_at_once(records))
    return with_event(records, (invoke.events or ())[0].event_id, sent={"sha256": "0" * 64})


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
    invoke, _ = random.choice(written_at_once(records))
    return with_event(records, (invoke.events or ())[0].event_id, sent=sent)


def other_payload(records: Records, random: Random) -> Records:
    """The bytes of a poison event are not those that were hashed."""
    planted = random.choice(all_of(records, Planted)).event_id
    row = next(row for row in all_of(records, JournalRow) if row.event_id == planted)
    return swap_in(records, row, replace(row, payload_b64="AAAA"))


def unsent_event(records: Records, random: Random) -> Records:
    """An event stands in the journal that nobody sent."""
    planted = random.choice(all_of(records, Planted))
    (parked,) = (p for p in all_of(records, ParkedRow) if p.event_id == planted.event_id)
    return swap_in(swap_in(records, planted), parked)


def told_two_positions(records: Records, random: Random) -> Records:
    """An event is acknowledged again, at another position."""
    invoke, ok = random.choice(written_at_once(records))
    events = tuple(replace(e, position=e.position + 1, replayed=True) for e in ok.events or ())
    again = replace(invoke, call=9000, attempt=2)
    return before_the_end(records, again, Ok(call=9000, events=events))


def swapped_pair(records: Records, random: Random) -> Records:
    """The later of two requests was acknowledged before the earlier was sent."""
    (a, ok_a), (b, ok_b) = written_at_once(records)[-2:]
    moved = swap_in(swap_in(records, a, b), ok_a, ok_b)
    index_b, index_ok = (max(i for i, e in enumerate(moved) if e is x) for x in (b, ok_b))
    moved[index_b], moved[index_ok] = a, ok_a
    return moved


def refused_and_written(records: Records, random: Random) -> Records:
    """A definite error, and the events are in the journal."""
    _, ok = random.choice(written_at_once(records))
    return swap_in(records, ok, Definite(call=ok.call, reason="LEDGER_BUSY"))


def replay_of_nothing(records: Records, random: Random) -> Records:
    """The only attempt is told that it replays."""
    _, ok = random.choice(written_at_once(records))
    events = tuple(replace(each, replayed=True) for each in ok.events or ())
    return swap_in(records, ok, replace(ok, events=events))


def new_twice(records: Records, random: Random) -> Records:
    """A retry is told that it wrote what an earlier attempt had written unheard."""
    retry, ok = random.choice(_retries(records, replayed=True))
    events = tuple(replace(each, replayed=False) for each in ok.events or ())
    rest = swap_in(swap_in(records, retry), ok)
    return before_the_end(rest, retry, replace(ok, events=events))


def never_resolved(records: Records, random: Random) -> Records:
    """An unknown outcome after which nobody tried again."""
    retries = _retries(records, replayed=True) + _retries(records, replayed=False)
    retry, ok = random.choice(retries)
    return swap_in(swap_in(records, retry), ok)


def _retries(records: Records, replayed: bool) -> list[tuple[Invoke, Ok]]:
    """Attempts after one of unknown outcome."""
    found = []
    for invoke in all_of(records, Invoke):
        if invoke.attempt == 2 and isinstance(invoke.request, int):
            ok = outcome_of(records, invoke.call)
            unknown = isinstance(outcome_of(records, invoke.request), Unknown)
            if unknown and ok.events[0].replayed == replayed:
                found.append((invoke, ok))
    return found


def half_a_batch(records: Records, random: Random) -> Records:
    """Of a batch whose outcome nobody knows one event is recorded, and one is not."""
    invoke, ok = random.choice(written_at_once(records))
    lost = Sent(event_id="lost", home="relationships/p1~p2")
    both = replace(invoke, events=(*(invoke.events or ()), lost))
    again = replace(both, call=9000, attempt=2)
    broken = swap_in(swap_in(records, invoke, both), ok, Unknown(call=ok.call, reason="UNKNOWN"))
    return before_the_end(broken, again, Definite(call=9000, reason="LEDGER_BUSY"))


def batch_out_of_order(records: Records, random: Random) -> Records:
    """The events of a batch are recorded the other way round than they were sent."""
    several = [each for each in written_at_once(records) if len(each[0].events or ()) > 1]
    invoke, ok = random.choice(several)
    turned = replace(invoke, events=(invoke.events or ())[::-1])
    told = replace(ok, events=(ok.events or ())[::-1])
    return swap_in(swap_in(records, invoke, turned), ok, told)


def ignored_condition_unheard(records: Records, random: Random) -> Records:
    """Written although the home was at another revision, and nobody was told."""
    invoke, ok = random.choice(written_at_once(records))
    event = random.choice(ok.events or ())
    changed = with_event(records, event.event_id, sent={"expected_revision": event.revision + 3})
    (sent,) = (each for each in all_of(changed, Invoke) if each.call == invoke.call)
    again = replace(sent, call=9000, attempt=2)
    broken = swap_in(changed, outcome_of(changed, ok.call), Unknown(call=ok.call, reason="UNKNOWN"))
    return before_the_end(broken, again, Definite(call=9000, reason="REVISION_CONFLICT"))


def ignored_condition(records: Records, random: Random) -> Records:
    """Written although the home was at another revision than expected."""
    _, ok = random.choice(written_at_once(records))
    event = random.choice(ok.events or ())
    return with_event(records, event.event_id, sent={"expected_revision": event.revision + 3})
