"""The rule about the operator: what is promised to recover by itself does."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.faults.torture.checker_index import History, Violation
from tests.faults.torture.records import Fault, Operator

DONE: Final = "done"
# What puts into a stream what the journal does not hold, and what brings that back.
FOREIGN_MESSAGE: Final = "nats-foreign-message"
OLDER_STORE: Final = "nats-tail-cut-off"


@dataclass(slots=True)
class _Plant:
    """A foreign message in a stream; `settled_n` is when it surely was there, if ever."""

    settled_n: int | None = None


def operated(history: History) -> Iterator[Violation]:
    """Operations: nobody rebuilds a stream but after a message that was no event of the journal.

    One such message excuses the rebuilds until one succeeds that began after it had come. A store
    put back may bring it again, when it was there at any time since the copy was being made.
    """
    plants: defaultdict[str, list[_Plant]] = defaultdict(list)
    began: dict[str, Operator] = {}
    coming_back = False
    for record in history.operations:
        match record:
            case Fault(name=name) if name == OLDER_STORE:
                coming_back = record.phase == "begin"
            case Fault(name=name) if name == FOREIGN_MESSAGE:
                of_journal = plants[str(record.detail.get("journal"))]
                if record.phase == "begin":
                    of_journal.append(_Plant())
                elif of_journal:
                    of_journal[-1].settled_n = record.n
            case Operator(outcome=None):
                began[record.journal] = record
                if not plants[record.journal]:
                    message = f"{record.journal}: the operator was needed, and nothing foreign came"
                    yield Violation("operated", message, (record.n,))
            case Operator(outcome=outcome) if outcome == DONE and not coming_back:
                since_n = began[record.journal].n if record.journal in began else record.n
                plants[record.journal] = [
                    each
                    for each in plants[record.journal]
                    if each.settled_n is None or each.settled_n > since_n
                ]
            case _:
                pass
