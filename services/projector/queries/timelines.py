"""Timelines: what happened between two people, or around one, newest first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.projector.domain.facts import Pair
from services.projector.domain.identity import Identities
from services.projector.facts import initiative_number
from services.projector.queries.pages import within_bytes
from services.projector.queries.people import read_identities
from services.projector.queries.snapshot import Snapshot
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import Initiative, Policy

# Before and after every instant there is.
BEGIN_US: Final = -(2**62)
END_US: Final = 2**62
_KEY_MAX: Final = 2**63 - 1
_ID_MIN: Final = UUID(int=0)
_ID_MAX: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Before:
    """Where a page begins: after the line with this key (an instant or a position) and id."""

    key: int
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Stay:
    """A person's time somewhere, from an instant to just before another; by one id."""

    person: str
    from_us: int
    until_us: int

    def covers(self, instant_us: int) -> bool:
        """Whether an instant lies in it."""
        return self.from_us <= instant_us < self.until_us

    def covers_day(self, day: int) -> bool:
        """Whether a day, since 2000-01-01, begins in it: stays are of whole days."""
        return self.covers(day * US_PER_DAY)


@dataclass(frozen=True, slots=True)
class TimelineAsked:
    """A page of a timeline: of a pair, of one person (`second` is None), or of `stays` where given.

    Stays are those of all ids of the people meant; those of one id do not overlap.
    Of what happened before `until_us`; stays have ends of their own. `by_recorded`: ordered by
    position instead of by when it happened. Filters that are None, or 0 for the side (a number of
    rapport.events.v1.Side), let everything through. `modes` are matched with the kind's default
    where a touchpoint says nothing.
    """

    first: str
    second: str | None
    by_recorded: bool
    limit: int
    before: Before | None = None
    include_voided: bool = False
    kinds: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    modes: Collection[Initiative] | None = None
    side: int = 0
    incident: UUID | None = None
    stays: Sequence[Stay] | None = None
    until_us: int = END_US


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A touchpoint as recorded and as it stands.

    `payload` is the stored one that stands, texts sealed: a Corrected's when `corrected_by` is set,
    else the Touchpoint's; `text_recorded_by` recorded it. `state` is a number of
    rapport.v1.LineState, `initiative` one of rapport.events.v1.Initiative, the kind's default
    counted in.
    """

    event_id: UUID
    pair: Pair
    position: int
    occurred_at_us: int
    recorded_at_us: int
    recorded_by: str
    text_recorded_by: str
    payload: bytes
    state: int
    initiative: int
    corrected_by: UUID | None
    voided_by: UUID | None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A page of a timeline, and where to go on; None at the end."""

    rows: list[TimelineRow]
    next: Before | None


async def list_timeline(snapshot: Snapshot, policy: Policy, asked: TimelineAsked) -> TimelinePage:
    """A page of touchpoints of all ids of the people asked about, newest first.

    `policy` decides the mode of touchpoints that name none.
    """
    asked = await with_stays(snapshot, asked, snapshot.position)
    if asked.stays is None:
        people = await read_humans_asked(snapshot, asked, snapshot.position)
        stem, binds = _statement_of_pairs(asked, people)
    else:
        stem, binds = _statement_of_stays(asked, asked.stays)
    found = await snapshot.fetch(stem, *binds, *_filters(asked, policy))
    kept = within_bytes(found[: asked.limit], _bytes_of)
    rows = await _with_payloads(snapshot, kept, policy)
    if len(rows) == len(found) or not rows:
        return TimelinePage(_staying(rows, asked), None)
    return TimelinePage(_staying(rows, asked), place_of(rows[-1], asked))


def place_of(row: TimelineRow, asked: TimelineAsked) -> Before:
    """Where a timeline goes on after a row."""
    return Before(row.position if asked.by_recorded else row.occurred_at_us, row.event_id)


async def with_stays(snapshot: Snapshot, asked: TimelineAsked, known_at: int) -> TimelineAsked:
    """The same question; of one person by all time of all his ids, as known at a position."""
    if asked.stays is not None or asked.second is not None:
        return asked
    people = await read_humans_asked(snapshot, asked, known_at)
    stays = [Stay(member, BEGIN_US, asked.until_us) for member in people.members(asked.first)]
    return replace(asked, stays=stays)


async def read_humans_asked(snapshot: Snapshot, asked: TimelineAsked, known_at: int) -> Identities:
    """Who is whom, of the pair or person asked about, as known at a position."""
    named = [asked.first] if asked.second is None else [asked.first, asked.second]
    return await read_identities(snapshot, named, known_at)


async def read_internal(snapshot: Snapshot, people: Collection[str], internal: int) -> set[str]:
    """Those of some people whose side is `internal` (its number)."""
    if not people:
        return set()
    rows = await snapshot.fetch("sides", sorted(people))
    return {row["party"] for row in rows if row["side"] == internal}


def _statement_of_pairs(asked: TimelineAsked, people: Identities) -> tuple[str, tuple[object, ...]]:
    """The statement of a pair and its binds, up to the filters."""
    assert asked.second is not None
    before = asked.before or Before(_KEY_MAX, _ID_MAX)
    # One more than asked for tells whether there is a next page.
    limit = asked.limit + 1
    if asked.incident is not None:
        ends = list(people.members(asked.first)), list(people.members(asked.second))
        key = (asked.by_recorded, before.key, before.event_id, limit)
        return "timeline_of_incident", (asked.incident, *ends, *key)
    pairs = raw_pairs_asked(asked, people)
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if asked.by_recorded:
        return "timeline_of_pairs_recorded", (a, b, before.key, limit, asked.until_us)
    # What happened before the day's end comes after the day's end in this order, too.
    begin = min((before.key, before.event_id), (asked.until_us, _ID_MIN))
    return "timeline_of_pairs_occurred", (a, b, *begin, limit)


def _statement_of_stays(
    asked: TimelineAsked, stays: Sequence[Stay]
) -> tuple[str, tuple[object, ...]]:
    before = asked.before or Before(_KEY_MAX, _ID_MAX)
    limit = asked.limit + 1
    if asked.incident is not None:
        people = sorted({stay.person for stay in stays})
        key = (asked.by_recorded, before.key, before.event_id, limit)
        return "timeline_of_incident", (asked.incident, people, None, *key)
    binds = (
        [stay.person for stay in stays],
        [stay.from_us for stay in stays],
        [stay.until_us for stay in stays],
    )
    if asked.by_recorded:
        return "timeline_of_stays_recorded", (*binds, before.key, limit)
    return "timeline_of_stays_occurred", (*binds, before.key, before.event_id, limit)


def _staying(rows: list[TimelineRow], asked: TimelineAsked) -> list[TimelineRow]:
    """Of an incident's rows those within the time asked about; all others are already."""
    if asked.incident is None:
        return rows
    return [row for row in rows if is_within(asked, row.pair, row.occurred_at_us)]


def is_within(asked: TimelineAsked, pair: Pair, instant_us: int) -> bool:
    """Whether an instant of a pair asked about lies in the time asked about."""
    if asked.stays is None:
        return instant_us < asked.until_us
    return is_inside(asked.stays, pair, instant_us)


def is_inside(stays: Sequence[Stay], pair: Pair, instant_us: int) -> bool:
    """Whether one of a pair was staying at an instant."""
    return any(stay.person in pair and stay.covers(instant_us) for stay in stays)


def raw_pairs_asked(asked: TimelineAsked, people: Identities) -> Sequence[Pair]:
    """The raw pairs of the relationship asked about."""
    assert asked.second is not None
    first, second = sorted((asked.first, asked.second))
    # Two ids of one human: what was recorded between them, which no balance counts.
    return people.raw_pairs(first, second) or ((first, second),)


def _filters(asked: TimelineAsked, policy: Policy) -> tuple[object, ...]:
    modes, default_kinds, excluded = None, [], False
    if asked.modes is not None:
        modes = sorted(initiative_number(mode) for mode in asked.modes)
        # A kind the policy does not have is PROACTIVE: then name the kinds that are not.
        excluded = Initiative.PROACTIVE in asked.modes
        default_kinds = sorted(
            name
            for name, kind in policy.kinds.items()
            if (kind.initiative in asked.modes) != excluded
        )
    return (
        asked.include_voided,
        None if asked.kinds is None else list(asked.kinds),
        None if asked.channels is None else list(asked.channels),
        modes,
        default_kinds,
        excluded,
        asked.side,
    )


def _bytes_of(row: Any) -> int:
    corrected: int | None = row["correction_bytes"]
    return row["bytes"] if corrected is None else corrected


async def _with_payloads(
    snapshot: Snapshot, found: Sequence[Any], policy: Policy
) -> list[TimelineRow]:
    """The rows of a page with the payloads that stand, which are read for these only."""
    if not found:
        return []
    corrections = [row["corrected_by"] for row in found if row["correction_bytes"] is not None]
    originals = [row["event_id"] for row in found if row["correction_bytes"] is None]
    payloads = {
        row["event_id"]: bytes(row["payload"])
        for row in await snapshot.fetch("payloads", originals, corrections)
    }
    return [_row(row, payloads, policy) for row in found]


def _row(row: Any, payloads: Mapping[UUID, bytes], policy: Policy) -> TimelineRow:
    initiative = row["now_initiative"]
    if initiative == 0:
        kind = policy.kinds.get(row["now_kind"])
        initiative = initiative_number(Initiative.PROACTIVE if kind is None else kind.initiative)
    corrected = row["correction_bytes"] is not None
    return TimelineRow(
        event_id=row["event_id"],
        pair=(row["a"], row["b"]),
        position=row["position"],
        occurred_at_us=row["now_occurred_at_us"],
        recorded_at_us=row["recorded_at_us"],
        recorded_by=row["recorded_by"],
        text_recorded_by=row["correction_recorded_by" if corrected else "recorded_by"],
        payload=payloads[row["corrected_by" if corrected else "event_id"]],
        state=row["state"],
        initiative=initiative,
        corrected_by=row["corrected_by"] if corrected else None,
        voided_by=row["voided_by"],
    )
