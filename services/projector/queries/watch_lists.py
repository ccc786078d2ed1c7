"""Watch lists: named sets of parties that somebody keeps an eye on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from rapport.events.v1 import practice_pb2

from services.projector.domain.facts import Touchpoint, pair_of
from services.projector.facts import WATCH_LIST_SAVED
from services.projector.queries.balances import RelationBalance, read_balances
from services.projector.queries.history import read_histories
from services.projector.queries.lines import read_rows
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import (
    Stay,
    TimelineAsked,
    TimelineRow,
    is_inside,
    list_timeline,
)
from services.projector.queries.wide import chunks, read_pairs
from services.runtime.errors import RapportError, Reason
from services.runtime.names import is_person


@dataclass(frozen=True, slots=True)
class WatchList:
    """A list as last saved: of equal names the highest (occurred_at, position)."""

    name: str
    parties: tuple[str, ...]
    event_id: str


async def read_watch_lists(snapshot: Snapshot, owner: str, known_at: int) -> dict[str, WatchList]:
    """The lists of a principal by name, as known at a position; emptied ones too."""
    rows = await snapshot.fetch("facts_of_homes", [owner], [WATCH_LIST_SAVED], known_at)
    if not rows:
        return {}
    ids = [row["event_id"] for row in rows]
    voided = {
        row["target"]
        for row in await snapshot.fetch("amendments_of_events", ids, known_at)
        if row["role"] == "V"
    }
    found = {}
    for row in sorted(rows, key=lambda row: (row["occurred_at_us"], row["position"])):
        if row["event_id"] not in voided:
            saved = practice_pb2.WatchListSaved()
            saved.ParseFromString(bytes(row["payload"]))
            parties = tuple(dict.fromkeys(saved.parties))
            found[saved.list] = WatchList(saved.list, parties, str(row["event_id"]))
    return dict(sorted(found.items()))


async def read_watch_list(snapshot: Snapshot, owner: str, name: str, known_at: int) -> WatchList:
    """One list of a principal; raises WATCH_LIST_UNKNOWN."""
    watched = (await read_watch_lists(snapshot, owner, known_at)).get(name)
    if watched is None:
        raise RapportError(
            Reason.WATCH_LIST_UNKNOWN,
            "the caller has saved no list of this name",
            metadata={"list": name},
        )
    return watched


async def read_watched_balances(
    snapshot: Snapshot, question: Question, owner: str, people: Sequence[str]
) -> list[RelationBalance]:
    """What the owner has with some people, the highest buffer first; each relationship once.

    A service has no relationships, and nobody has one with an id of his own.
    """
    if not is_person(owner):
        return []
    humans = await read_identities(snapshot, {owner, *people}, question.position)
    pairs = [pair_of(owner, person) for person in people if not humans.same_human(owner, person)]
    found = {each.pair: each for each in await read_balances(snapshot, question, pairs)}
    return sorted(found.values(), key=lambda each: (-each.buffer_mp, each.pair))


async def read_watched_rows(
    snapshot: Snapshot, question: Question, stays: Sequence[Stay], limit: int
) -> list[TimelineRow]:
    """The last touchpoints within some stays, as known at the question, newest first.

    From the timeline where everything recorded may be known, else by folding: LIST_TOO_WIDE beyond
    10,000 relationships.
    """
    if not stays or not limit:
        return []
    if question.newest:
        asked = TimelineAsked("", None, by_recorded=False, limit=limit, stays=stays)
        return (await list_timeline(snapshot, question.policy, asked)).rows
    # Raw pairs, as in the timeline: what was recorded between two ids of one human is there too.
    pairs = await read_pairs(snapshot, sorted({stay.person for stay in stays}))
    newest: list[Touchpoint] = []
    for some in chunks(pairs):
        for history in (await read_histories(snapshot, some, question.position)).values():
            touches = history.effective().touchpoints
            newest += [t for t in touches if is_inside(stays, t.pair, t.instant_us)]
        newest = nlargest(limit, newest, key=lambda touch: touch.order)
        await asyncio.sleep(0)
    return await read_rows(snapshot, question.policy, newest)
