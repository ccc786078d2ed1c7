"""The journal with the read models' own record of it: every event in one table, as it was stored.

The folds of balances.py start from these tables. What they hold is compared here with the journal
event by event, bytes included, so that folding them is folding the journal.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg

from services.ledger.domain.events import StoredEvent
from services.operator.doctor.journal import SQL, JournalRow
from services.operator.doctor.report import Check, Difference
from services.operator.doctor.rolling import RollingHash
from services.projector import facts
from services.projector.facts import Delivered, UnreadableFact
from services.projector.projections.arrivals import Arrivals, sort_events

CURSOR_ROWS: Final = 1_000
PARKED: Final = "parked"
# Tables that keep no valid time and no principal of their own.
_BARE: Final = frozenset({"links", "policies"})


class Kept(NamedTuple):
    """What a table keeps of an event."""

    source: str
    tenant: str
    event_id: str
    occurred_at_us: int | None
    recorded_at_us: int
    recorded_by: str | None
    details: tuple[str | None, ...]
    payload_sha256: bytes


@dataclass(slots=True)
class Seen:
    """What the folds need to know of events that no table of theirs keeps.

    `named`: the first position at which a fact without a view of its own names (tenant, party).
    """

    tenants: set[str] = field(default_factory=set)
    named: dict[tuple[str, str], int] = field(default_factory=dict)
    erased: set[tuple[str, str]] = field(default_factory=set)


class FactsFollower:
    """Compares what the read models keep of every event up to their checkpoint."""

    def __init__(
        self, conn: asyncpg.Connection, row: JournalRow, through: int, check: Check
    ) -> None:
        """`conn` is in a transaction whose snapshot has the checkpoint `through`."""
        self._conn, self._row, self._through, self._check = conn, row, through, check
        self._rows: AsyncIterator[Any] | None = None
        self._next: Any = None
        self._rolling = RollingHash()
        self._parked = 0
        self.seen: Final = Seen()

    async def begin(self) -> None:
        """Note what the folds need of events whose partitions were detached."""
        row = self._row
        if not row.detached_through:
            return
        async for kept in rows_of(
            self._conn, "other_facts_through", row.journal, row.detached_through
        ):
            self.seen.tenants.add(kept["tenant"])
            named = facts.parties_of_other(kept["type"], kept["payload"])
            if kept["type"] == facts.SUBJECT_ERASED:
                named = (facts.subject_from(kept["payload"]),)
                self.seen.erased.add((kept["tenant"], *named))
            for party in named:
                self.seen.named.setdefault((kept["tenant"], party), kept["position"])

    async def take(self, events: Sequence[StoredEvent]) -> None:
        """Compare until the first difference; then only note what the folds need."""
        for event in events:
            if event.position > self._through:
                return
            expected = kept_of(event, self._row.incarnation, self.seen)
            found = await self._at(event.position)
            if self._check.difference is None:
                self._compare(event.position, expected, found)

    async def end(self) -> None:
        """Nothing is kept beyond the last event."""
        if self._rows is None:
            await self._begin()
        if self._next is not None and self._check.difference is None:
            what = f"{self._next['source']} holds an event that the journal does not have"
            self._check.differ(Difference(what, self._next["position"]))
        self._check.facts |= {
            "compared": self._rolling.records,
            "parked": self._parked,
            "sha256": self._rolling.hex,
        }

    def _compare(self, position: int, expected: Kept, rows: list[Any]) -> None:
        if not rows:
            what = f"{expected.source} lacks the event"
            self._check.differ(Difference(what, position, f"event {expected.event_id}"))
            return
        if len(rows) > 1:
            what = "the event is in more than one table"
            tables = ", ".join(row["source"] for row in rows)
            self._check.differ(Difference(what, position, tables, 1, len(rows)))
            return
        found = _kept_from(rows[0])
        self._rolling.add(position, expected.tenant, expected.event_id, found.payload_sha256)
        if found.source == PARKED:
            self._parked += 1
            # Its reason is told by the check of parked events; here it only has to be whole.
            expected = expected._replace(source=PARKED, details=found.details)
        for name, here, there in zip(Kept._fields, expected, found, strict=True):
            if here != there:
                where = f"{found.source}, event {expected.event_id}"
                what = f"{name} differs from the journal's"
                self._check.differ(Difference(what, position, where, _text(here), _text(there)))
                return

    async def _at(self, position: int) -> list[Any]:
        """The rows kept of a position; rows of earlier positions belong to no event."""
        if self._rows is None:
            await self._begin()
        found = []
        while self._next is not None and self._next["position"] <= position:
            if self._next["position"] == position:
                found.append(self._next)
            else:
                what = f"{self._next['source']} holds an event that the journal does not have"
                self._check.differ(Difference(what, self._next["position"]))
            await self._advance()
        return found

    async def _begin(self) -> None:
        first = self._row.detached_through + 1
        self._rows = rows_of(self._conn, "facts", self._row.journal, first)
        await self._advance()

    async def _advance(self) -> None:
        assert self._rows is not None
        self._next = await anext(self._rows, None)


class TicksFollower:
    """Compares which position was the last of every instant of recording."""

    def __init__(
        self, conn: asyncpg.Connection, row: JournalRow, through: int, check: Check
    ) -> None:
        self._conn, self._row, self._through, self._check = conn, row, through, check
        self._rows: AsyncIterator[Any] | None = None
        self._tick: tuple[int, int] | None = None
        self._count = 0

    async def take(self, events: Sequence[StoredEvent]) -> None:
        """Compare every instant that has ended."""
        within = (event for event in events if event.position <= self._through)
        for recorded_at_us, group in groupby(within, key=lambda event: event.recorded_at_us):
            *_, last = group
            if self._tick is not None and self._tick[0] != recorded_at_us:
                await self._compare(self._tick)
            if self._rows is None:
                journal = self._row.journal
                self._rows = rows_of(self._conn, "ticks", journal, recorded_at_us)
            self._tick = recorded_at_us, last.position

    async def end(self) -> None:
        """The last instant, and nothing beyond it."""
        if self._tick is not None:
            await self._compare(self._tick)
        if self._rows is not None:
            extra = await anext(self._rows, None)
            if extra is not None and self._check.difference is None:
                what = "ticks has an instant at which nothing was recorded"
                self._check.differ(Difference(what, extra["position"]))
        self._check.facts["ticks"] = self._count

    async def _compare(self, tick: tuple[int, int]) -> None:
        assert self._rows is not None
        self._count += 1
        row = await anext(self._rows, None)
        found = None if row is None else (row["recorded_at_us"], row["position"])
        if found != tick:
            what = "ticks does not have this as the last position of its instant"
            there = None if found is None else found[1]
            self._check.differ(Difference(what, tick[1], "", tick[1], there))


async def rows_of(conn: asyncpg.Connection, stem: str, *binds: object) -> AsyncIterator[Any]:
    """The rows of a statement through a server-side cursor, CURSOR_ROWS at a time."""
    cursor = await conn.cursor(SQL[stem], *binds)
    while rows := await cursor.fetch(CURSOR_ROWS):
        for row in rows:
            yield row


def kept_of(event: StoredEvent, incarnation: str, seen: Seen) -> Kept:
    """What the read models should keep of an event; notes what the folds need beside it."""
    seen.tenants.add(event.tenant)
    delivered = _delivered(event, incarnation)
    try:
        arrivals = sort_events([delivered])
    except UnreadableFact:
        return _kept(event, PARKED, (event.home, event.type))
    for named in arrivals.erased:
        seen.erased.add((named.tenant, named.name))
    if arrivals.others:
        for party, position in arrivals.first_named.items():
            seen.named.setdefault((party.tenant, party.name), position)
    return _kept(event, *_place(event, arrivals))


def _place(event: StoredEvent, arrivals: Arrivals) -> tuple[str, tuple[str | None, ...]]:
    """The table of an event, and what that adds to the envelope."""
    fulfils = arrivals.fulfilments[0][2] if arrivals.fulfilments else None
    for _, touchpoint in arrivals.touchpoints:
        return "touchpoints", (*touchpoint.pair, fulfils)
    for amendment in arrivals.amendments:
        details = (amendment.target or None, amendment.role, amendment.a, amendment.b, fulfils)
        return "amendments", details
    for _, said in arrivals.descriptions:
        side = str(facts.side_number(said.side))
        return "descriptions", (said.party, side, said.team, said.tier)
    for _, link in arrivals.links:
        strong = link.strength == 1  # LINK_STRENGTH_STRONG
        return "links", (*sorted((link.a, link.b)), "true" if strong else "false")
    for adoption in arrivals.policies:
        policy = adoption.policy
        numbers = (policy.name, str(policy.version), policy.hash, str(policy.effective_from))
        return "policies", (*numbers, adoption.policy_json)
    organization = arrivals.affiliations[0][1] if arrivals.affiliations else None
    return "other_facts", (event.home, event.type, organization)


def _kept(event: StoredEvent, source: str, details: tuple[str | None, ...]) -> Kept:
    bare = source in _BARE
    return Kept(
        source,
        event.tenant,
        event.event_id,
        None if bare else event.occurred_at_us,
        event.recorded_at_us,
        None if bare else event.recorded_by,
        details,
        event.payload_sha256,
    )


def _kept_from(row: Any) -> Kept:
    return Kept(
        row["source"],
        row["tenant"],
        row["event_id"],
        row["occurred_at_us"],
        row["recorded_at_us"],
        row["recorded_by"],
        tuple(row["details"]),
        row["payload_sha256"],
    )


def _delivered(event: StoredEvent, incarnation: str) -> Delivered:
    return Delivered(
        journal=event.journal,
        incarnation=incarnation,
        position=event.position,
        tenant=event.tenant,
        event_id=event.event_id,
        type=event.type,
        home=event.home,
        revision=event.revision,
        kind=event.kind or "",
        occurred_at_us=event.occurred_at_us,
        recorded_at_us=event.recorded_at_us,
        recorded_by=event.recorded_by,
        schema_version=event.schema_version,
        payload=event.payload,
    )


def _text(value: object) -> str | int | None:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return value.hex()
    return (
        ", ".join("none" if part is None else part for part in value)
        if isinstance(value, tuple)
        else str(value)
    )
