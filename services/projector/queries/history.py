"""The history of relationships: their facts, read to be folded."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.projector.domain.effective import EffectiveFacts, effective
from services.projector.domain.facts import Fact, Pair, Touchpoint
from services.projector.facts import correction_from, touchpoint_from, void_from
from services.projector.queries.snapshot import Snapshot


@dataclass(slots=True)
class History:
    """What is recorded of one raw pair up to a position."""

    facts: list[Fact] = field(default_factory=list)

    @property
    def recorded(self) -> list[Touchpoint]:
        """Its touchpoints as they were recorded."""
        return [fact for fact in self.facts if isinstance(fact, Touchpoint)]

    def effective(self) -> EffectiveFacts:
        """What counts of it."""
        return effective(self.facts)


async def read_histories(
    snapshot: Snapshot, pairs: Sequence[Pair], known_at: int
) -> dict[Pair, History]:
    """The histories of raw pairs, one for each asked, empty for one nobody has touched.

    Two statements, whatever the number of pairs. Unreadable payloads were parked by the projection
    and are in no view.
    """
    histories: dict[Pair, History] = {pair: History() for pair in pairs}
    a, b = [pair[0] for pair in histories], [pair[1] for pair in histories]
    rows = await snapshot.fetch("touchpoints_of_pairs", a, b, known_at)
    pair_of_event: dict[object, Pair] = {}
    for row in rows:
        pair = row["a"], row["b"]
        pair_of_event[row["event_id"]] = pair
        histories[pair].facts.append(touchpoint_of_row(row))
    if not pair_of_event:
        return histories
    amendments = await snapshot.fetch("amendments_of_events", list(pair_of_event), known_at)
    # What amends an amendment comes with it, and belongs where that belongs.
    below: dict[object, list[Any]] = defaultdict(list)
    for row in amendments:
        below[row["target"]].append(row)
    waiting = [(target, pair) for target, pair in pair_of_event.items() if target in below]
    while waiting:
        target, pair = waiting.pop()
        for row in below.pop(target, ()):
            histories[pair].facts += amendment_facts(row)
            waiting.append((row["event_id"], pair))
    return histories


async def read_strays(
    snapshot: Snapshot, pairs: Sequence[Pair], known: Collection[str], known_at: int
) -> tuple[list[Fact], frozenset[str]]:
    """Corrections recorded on the pairs that replace nothing of theirs, with what they do replace.

    `known` are the event ids already read. Answers the facts and the ids of the touchpoints of
    other pairs among them, which the receipt is not about.
    """
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rows = await snapshot.fetch("corrections_of_pairs", a, b, known_at)
    strays = [row for row in rows if str(row["event_id"]) not in known]
    if not strays:
        return [], frozenset()
    targets = [row["target"] for row in strays]
    elsewhere = await snapshot.fetch("touchpoints_by_id", targets, known_at)
    about = [row["event_id"] for row in strays]
    facts: list[Fact] = [touchpoint_of_row(row) for row in elsewhere]
    for row in [*strays, *await snapshot.fetch("amendments_of_events", about, known_at)]:
        facts += amendment_facts(row)
    return facts, frozenset(str(row["event_id"]) for row in elsewhere)


def amendment_facts(row: Any) -> list[Fact]:
    """The fact of an amendment that touchpoints care about: none for the end of something."""
    event_id, position, payload = str(row["event_id"]), row["position"], bytes(row["payload"])
    if row["role"] == "V":
        return [void_from(payload, event_id=event_id, position=position)]
    if row["role"] == "C":
        return [correction_from(payload, event_id=event_id, position=position)]
    return []


def touchpoint_of_row(row: Any) -> Touchpoint:
    """The touchpoint of a row, as it was recorded."""
    return touchpoint_from(
        bytes(row["payload"]),
        event_id=str(row["event_id"]),
        position=row["position"],
        occurred_at_us=row["occurred_at_us"],
    )
