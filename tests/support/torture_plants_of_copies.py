"""Faults planted in streams, in what subscribers and readers are told, and in the end of a run."""

from dataclasses import replace
from random import Random
from typing import Any

from tests.faults.torture.records import (
    BalanceAnswer,
    End,
    FinalBalance,
    Invoke,
    JournalRow,
    Ok,
    Operator,
    ParkedRow,
    Received,
    StandingsAnswer,
    StreamInfo,
    StreamRow,
    Subscribed,
    TimelineAnswer,
)
from tests.support.deliveries import TODAY
from tests.support.torture_histories import JOURNAL, TENANT
from tests.support.torture_plants_common import (
    Records,
    all_of,
    before_the_end,
    swap_in,
)


def foreign_message(records: Records, random: Random) -> Records:
    """A message of the stream is another event's."""
    row = random.choice(all_of(records, StreamRow))
    return swap_in(records, row, replace(row, event_id="foreign"))


def changed_message(records: Records, random: Random) -> Records:
    """A message of the stream has other bytes."""
    row = random.choice(all_of(records, StreamRow))
    return swap_in(records, row, replace(row, sha256="0" * 64))


def swapped_messages(records: Records, random: Random) -> Records:
    """Two messages of the stream stand in each other's place."""
    rows = all_of(records, StreamRow)
    number = random.randrange(1, len(rows))
    a, b = rows[number - 1], rows[number]
    changed = swap_in(records, a, replace(a, event_id=b.event_id, sha256=b.sha256))
    return swap_in(changed, b, replace(b, event_id=a.event_id, sha256=a.sha256))


def missing_message(records: Records, random: Random) -> Records:
    """The stream has a hole."""
    return swap_in(records, random.choice(all_of(records, StreamRow)[:-1]))


def unread_stream(records: Records, random: Random) -> Records:
    """The stream says that it has all, and not one message of it was read."""
    return [each for each in records if not isinstance(each, StreamRow)]


def emptied_stream(records: Records, random: Random) -> Records:
    """The stream says that it begins beyond the head, and is empty."""
    (info,) = all_of(records, StreamInfo)
    empty = replace(info, first_sequence=info.last_sequence + 1)
    return swap_in(unread_stream(records, random), info, empty)


def cut_tail(records: Records, random: Random) -> Records:
    """The stream's tail is gone."""
    rows, (info,) = all_of(records, StreamRow), all_of(records, StreamInfo)
    kept = random.randrange(len(rows))
    changed = swap_in(records, info, replace(info, last_sequence=kept))
    return [each for each in changed if not (isinstance(each, StreamRow) and each.sequence > kept)]


def skipped_by_a_subscriber(records: Records, random: Random) -> Records:
    """A subscriber never saw one."""
    return swap_in(records, random.choice(_inner_received(records)))


def seen_twice(records: Records, random: Random) -> Records:
    """A subscriber saw one twice."""
    record = random.choice(_inner_received(records))
    return swap_in(records, record, record, record)


def _inner_received(records: Records) -> list[Received]:
    return [each for each in all_of(records, Received) if each.subscription == "s1"][:-1]


def resumed_elsewhere(records: Records, random: Random) -> Records:
    """A subscription goes on further than where it was."""
    record = [each for each in all_of(records, Subscribed) if each.subscription == "s1"][-1]
    return swap_in(records, record, replace(record, from_position=record.from_position + 1))


def subscriber_handed_another(records: Records, random: Random) -> Records:
    """A subscriber was handed other bytes."""
    record = random.choice(all_of(records, Received))
    return swap_in(records, record, replace(record, sha256="0" * 64))


def stale_read(records: Records, random: Random) -> Records:
    """A read was answered as of before the position it asked for."""
    invoke = random.choice([each for each in all_of(records, Invoke) if each.op != "append"])
    least = (invoke.min_position or 0) + 1
    return swap_in(records, invoke, replace(invoke, min_position=least))


def wrong_balance(records: Records, random: Random) -> Records:
    """A balance, the buffer of a list or a timeline is not the fold's."""
    ok = random.choice([each for each in all_of(records, Ok) if each.answer is not None])
    match ok.answer:
        case BalanceAnswer() as said:
            answer: Any = replace(said, care_mp=said.care_mp + 1)
        case StandingsAnswer(pairs=(one, *_)):
            changed = replace(one, buffer_mp=one.buffer_mp - 1)
            answer = replace(ok.answer, pairs=(changed, *ok.answer.pairs[1:]))
        case TimelineAnswer() as page:
            states = (*page.states, 1)
            answer = replace(page, event_ids=(*page.event_ids, "more"), states=states)
    return swap_in(records, ok, replace(ok, answer=answer))


def forgotten_in_a_list(records: Records, random: Random) -> Records:
    """A list leaves out a relationship, and is right about those it has."""
    told = [(ok, ok.answer) for ok in all_of(records, Ok)]
    lists = [(ok, said) for ok, said in told if isinstance(said, StandingsAnswer) and said.pairs]
    ok, said = random.choice(lists)
    return swap_in(records, ok, replace(ok, answer=replace(said, pairs=said.pairs[1:])))


def went_back(records: Records, random: Random) -> Records:
    """A replica answers from before what it answered the same caller already."""
    head = len(all_of(records, JournalRow))
    final = random.choice(all_of(records, FinalBalance))
    now = final.know_mp, final.care_mp, final.buffer_mp
    new: Records = []
    for call, position, amounts in ((9000, head, now), (9001, 0, (0, 0, 0))):
        fields: dict[str, Any] = {"journal": JOURNAL, "tenant": TENANT, "client": "c9"}
        fields |= {"a": final.a, "b": final.b, "on_day": TODAY, "min_position": 0}
        new.append(Invoke(call=call, op="balance", attempt=1, request=call, **fields))
        know_mp, care_mp, buffer_mp = amounts
        said = BalanceAnswer(know_mp=know_mp, care_mp=care_mp, buffer_mp=buffer_mp)
        new.append(Ok(call=call, position=position, target="projector-1", answer=said))
    return before_the_end(records, *new)


def wrong_final_balance(records: Records, random: Random) -> Records:
    """A projector is wrong at the end."""
    final = random.choice(all_of(records, FinalBalance))
    return swap_in(records, final, replace(final, know_mp=final.know_mp - 1))


def unasked_at_the_end(records: Records, random: Random) -> Records:
    """A relationship was not looked at on one projector."""
    return swap_in(records, random.choice(all_of(records, FinalBalance)))


def silent_projector(records: Records, random: Random) -> Records:
    """One projector was never asked at the end."""
    replica = random.choice(all_of(records, FinalBalance)).replica
    return [r for r in records if not (isinstance(r, FinalBalance) and r.replica == replica)]


def taken_poison(records: Records, random: Random) -> Records:
    """A poison event is in the journal, and is not parked."""
    return swap_in(records, random.choice(all_of(records, ParkedRow)))


def parked_without_reason(records: Records, random: Random) -> Records:
    """An event that is no poison is parked."""
    row = random.choice([r for r in all_of(records, JournalRow) if r.home != "people/x"])
    fields: dict[str, Any] = {"position": row.position, "event_id": row.event_id}
    return before_the_end(records, ParkedRow(journal=JOURNAL, reason="?", **fields))


def needless_rebuild(records: Records, random: Random) -> Records:
    """The operator rebuilds a stream once more, and nothing foreign has come into it since."""
    again = all_of(records, Operator)[-2:]
    return before_the_end(records, *again)


def given_up(records: Records, random: Random) -> Records:
    """The run did not come to rest."""
    return [*records[:-1], End(settled=False)]


def broken_off(records: Records, random: Random) -> Records:
    """The history ends before its end."""
    return records[:-1]


def answered_twice(records: Records, random: Random) -> Records:
    """A call has two outcomes."""
    ok = random.choice(all_of(records, Ok))
    return swap_in(records, ok, ok, ok)
