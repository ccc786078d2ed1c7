"""What faults planted in histories are made with."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from tests.faults.torture.records import (
    Acknowledged,
    Definite,
    Invoke,
    JournalRow,
    Ok,
    Sent,
    Unknown,
)

type Records = list[Any]
type Plant = Callable[[Records, Random], Records]


def all_of[R](records: Records, kind: type[R]) -> list[R]:
    return [each for each in records if isinstance(each, kind)]


def swap_in(records: Records, old: Any, *new: Any) -> Records:
    """The records with others in place of one."""
    return [put for each in records for put in (new if each is old else (each,))]


def before_the_end(records: Records, *new: Any) -> Records:
    first = next(each for each in records if isinstance(each, JournalRow))
    return swap_in(records, first, *new, first)


def outcome_of(records: Records, call: int) -> Any:
    kinds = (Ok, Definite, Unknown)
    return next(each for each in records if isinstance(each, kinds) and each.call == call)


def written_at_once(records: Records) -> list[tuple[Invoke, Ok]]:
    """Requests that write, acknowledged at the first attempt."""
    appends = [each for each in all_of(records, Invoke) if each.op == "append"]
    found = [(each, outcome_of(records, each.call)) for each in appends if each.attempt == 1]
    return [(invoke, ok) for invoke, ok in found if isinstance(ok, Ok)]


def with_event(records: Records, event_id: str, sent: Any = None, told: Any = None) -> Records:
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
