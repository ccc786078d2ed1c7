"""When the operator may be needed, and when nobody may be."""

from random import Random
from typing import Literal

from tests.faults.torture.checker import check
from tests.faults.torture.records import AnyRecord, Fault, Operator
from tests.support.torture_histories import JOURNAL, Toy, renumbered, valid_history

FOREIGN = "nats-foreign-message"
OLDER_STORE = "nats-tail-cut-off"


def fault(name: str, phase: Literal["begin", "end"], journal: str = JOURNAL) -> Fault:
    return Fault(name=name, target="nats", phase=phase, detail={"journal": journal})


def rebuild(outcome: str | None = "done") -> list[AnyRecord]:
    command = f"rapport stream rebuild --journal {JOURNAL}"
    return [
        Operator(command=command, journal=JOURNAL),
        Operator(command=command, journal=JOURNAL, outcome=outcome),
    ]


def judged(*new: AnyRecord) -> set[str]:
    toy = Toy(Random(7))
    toy.begin()
    toy.append(2)
    toy.settle()
    records = toy.records
    return {each.rule for each in check(renumbered([*records[:1], *new, *records[1:]]))}


def test_one_foreign_message_needs_one_rebuild_that_succeeds() -> None:
    came = fault(FOREIGN, "begin"), fault(FOREIGN, "end")
    assert judged(*came, *rebuild()) == set()
    assert judged(*came, *rebuild("TimeoutError()"), *rebuild()) == set()
    assert judged(*came, *rebuild(), *rebuild()) == {"operated"}
    assert judged(*rebuild()) == {"operated"}


def test_a_message_into_another_stream_is_no_excuse() -> None:
    came = fault(FOREIGN, "begin", "other"), fault(FOREIGN, "end", "other")
    assert judged(*came, *rebuild()) == {"operated"}


def test_what_came_while_a_stream_was_made_anew_may_need_another() -> None:
    begun, done = rebuild()
    first = fault(FOREIGN, "begin"), fault(FOREIGN, "end")
    late = fault(FOREIGN, "begin"), fault(FOREIGN, "end")
    assert judged(*first, begun, *late, done, *rebuild()) == set()
    assert judged(*first, begun, *late, done, *rebuild(), *rebuild()) == {"operated"}


def test_an_older_store_may_bring_back_what_was_in_the_stream_when_it_was_copied() -> None:
    came = fault(FOREIGN, "begin"), fault(FOREIGN, "end")
    older = fault(OLDER_STORE, "begin"), fault(OLDER_STORE, "end")
    assert judged(*came, older[0], *rebuild(), older[1], *rebuild()) == set()
    assert judged(*came, *rebuild(), *older, *rebuild()) == {"operated"}


def test_a_valid_history_has_a_rebuild() -> None:
    assert any(isinstance(each, Operator) for each in valid_history(1))
