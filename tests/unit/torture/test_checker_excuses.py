"""What looks like a fault and is none: the checker must not cry wolf."""

from dataclasses import replace
from random import Random

from tests.faults.torture.checker import check
from tests.faults.torture.records import (
    AnyRecord,
    BalanceAnswer,
    Definite,
    JournalRow,
    Ok,
    Received,
    Run,
    StreamRow,
    Subscribed,
    Unknown,
)
from tests.support.torture_histories import TENANT, Toy, renumbered, valid_history


def begun() -> Toy:
    toy = Toy(Random(7))
    toy.begin()
    toy.append(2)
    return toy


def settled(toy: Toy) -> list[AnyRecord]:
    toy.settle()
    return toy.records


def test_a_refusal_after_an_unknown_outcome_may_have_been_written_by_the_first_attempt() -> None:
    toy = begun()
    batch = [toy.new_event()]
    events = (batch[0][0],)
    first = toy.invoke("append", events=events)
    toy.say(Unknown(call=first, reason="OUTCOME_UNKNOWN"))
    second = toy.invoke("append", events=events, attempt=2, request=first)
    toy.say(Definite(call=second, reason="LEDGER_BUSY"))
    toy.write(batch)
    assert check(settled(toy)) == []


def test_a_replay_of_what_an_attempt_still_on_its_way_has_written_is_one() -> None:
    toy = begun()
    batch = [toy.new_event()]
    first = toy.invoke("append", events=(batch[0][0],))
    second = toy.invoke("append", events=(batch[0][0],), client="c2")
    fresh, again = toy.write(batch), toy.write(batch)
    toy.say(Ok(call=second, events=again))
    toy.say(Ok(call=first, events=fresh))
    assert check(settled(toy)) == []


def test_calls_that_overlap_may_be_recorded_in_either_order() -> None:
    toy = begun()
    a, b = [toy.new_event()], [toy.new_event()]
    first = toy.invoke("append", events=(a[0][0],))
    second = toy.invoke("append", events=(b[0][0],), client="c2")
    told_b, told_a = toy.write(b), toy.write(a)
    toy.say(Ok(call=first, events=told_a))
    toy.say(Ok(call=second, events=told_b))
    assert check(settled(toy)) == []


def test_what_an_unknown_attempt_wrote_counts_from_when_it_was_first_sent() -> None:
    toy = begun()
    early = [toy.new_event()]
    first = toy.invoke("append", events=(early[0][0],))
    told = toy.write(early)
    toy.say(Unknown(call=first, reason="DEADLINE_EXCEEDED"))
    toy.append(3)
    retry = toy.invoke("append", events=(early[0][0],), attempt=2, request=first)
    toy.say(Ok(call=retry, events=tuple(replace(each, replayed=True) for each in told)))
    assert check(settled(toy)) == []


def test_a_stream_taken_up_again_by_its_client_may_be_told_of_a_replay() -> None:
    toy = begun()
    early = [toy.new_event()]
    call = toy.invoke("ingest", events=(early[0][0],))
    told = toy.write(early)
    toy.say(Ok(call=call, events=tuple(replace(each, replayed=True) for each in told)))
    assert check(settled(toy)) == []


def test_reads_that_overlap_and_other_replicas_may_answer_from_before() -> None:
    toy = begun()
    nothing = BalanceAnswer(know_mp=0, care_mp=0, buffer_mp=0)
    asked = {"min_position": 0, "on_day": 9648, "a": "people/x1", "b": "people/x2"}
    calls = [toy.invoke("balance", **asked) for _ in range(2)]
    toy.say(Ok(call=calls[0], position=2, target="projector-1", answer=nothing))
    toy.say(Ok(call=calls[1], position=1, target="projector-1", answer=nothing))
    other = toy.invoke("balance", **asked)
    toy.say(Ok(call=other, position=0, target="projector-2", answer=nothing))
    assert check(settled(toy)) == []


def test_a_tenants_own_subscription_skips_the_events_of_others() -> None:
    records = valid_history(5)
    rows = [each for each in records if isinstance(each, JournalRow)]
    seen = [row for row in rows if row.home != "people/x"]
    new: list[AnyRecord] = [
        Subscribed(
            subscription="own",
            source="ledger",
            journal=seen[0].journal,
            from_position=1,
            tenant=TENANT,
        ),
        *(
            Received(
                subscription="own",
                position=row.position,
                event_id=row.event_id,
                sha256=row.sha256,
            )
            for row in seen
        ),
    ]
    foreign = [
        replace(each, tenant="tenant-2")
        if isinstance(each, JournalRow) and each.home == "people/x"
        else each
        for each in records
    ]
    first = next(n for n, each in enumerate(foreign) if isinstance(each, JournalRow))
    assert check(renumbered([*foreign[:first], *new, *foreign[first:]])) == []
    found = check(renumbered([*foreign[:first], new[0], *new[2:], *foreign[first:]]))
    assert {each.rule for each in found} == {"subscribed_order"}


def test_a_stream_rebuilt_without_its_old_messages_is_whole_from_its_first_on() -> None:
    records = [
        each
        for each in valid_history(6)
        if not (isinstance(each, StreamRow) and each.sequence <= 4)
    ]
    later = [
        replace(each, first_sequence=5) if each.type == "stream_info" else each for each in records
    ]
    assert {each.rule for each in check(renumbered(later))} == {"stream_whole"}
    later = [
        replace(each, keeps_everything=False) if isinstance(each, Run) else each for each in later
    ]
    assert check(renumbered(later)) == []
    found = check(renumbered(records))
    assert {each.rule for each in found} == {"stream_whole"}
