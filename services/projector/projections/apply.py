"""Apply a batch of events: all rows and the checkpoint in one transaction, exactly once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import asyncpg

from services.projector.domain.facts import Touchpoint
from services.projector.facts import Delivered
from services.projector.projections import (
    amendments,
    balances,
    checkpoint,
    links,
    other_facts,
    parked,
    parties,
    policies,
    references,
    standings,
    tenants,
    touchpoints,
)
from services.projector.projections.arrivals import Arrivals, sort_events
from services.projector.projections.outcomes import Applied, Parked, is_poison, reason_of
from services.projector.projections.statements import PairKey

# Writes consecutive events within the caller's transaction and lock.
type Write = Callable[[asyncpg.Connection, Sequence[Delivered]], Awaitable[None]]


async def apply(
    conn: asyncpg.Connection, events: Sequence[Delivered], *, today: int, incremental: bool = True
) -> Applied:
    """Apply consecutive events of one journal (at least one) that follow on its checkpoint.

    What the checkpoint has behind it is dropped, so that a batch may come twice and from several
    replicas. `today` is the day that standings are kept for; a tenant's never goes back. An event
    that cannot be applied is parked and the others go on; beyond PARKED_MAX parked ones of the
    journal nothing does. Raises CheckpointElsewhere and IncarnationChanged (nothing written), and
    the errors of the database, after which the batch may be tried again.
    """
    assert events, "a batch holds at least one event"
    assert events[-1].position - events[0].position == len(events) - 1, "without gaps"
    write = partial(project, today=today, incremental=incremental)
    return await apply_with(conn, events, write)


async def apply_with(
    conn: asyncpg.Connection, events: Sequence[Delivered], write: Write
) -> Applied:
    """Apply events by a way of writing them, with everything that `apply` promises."""
    try:
        return await _apply_whole(conn, events, write)
    except Exception as error:
        if not is_poison(error):
            raise
    return await _apply_carefully(conn, events, write)


async def retry(
    conn: asyncpg.Connection, journal: str, position: int, *, today: int
) -> Parked | None:
    """Apply a parked event after all; None when it is parked no more, else why it still is.

    Later events were applied meanwhile: rows do not depend on the order, so its effects are those
    it would have had. LookupError when no event is parked there.
    """
    async with conn.transaction():
        await checkpoint.lock(conn, journal)
        event = await parked.take(conn, journal, position)
        if event is None:
            raise LookupError("no event is parked at this position")
        try:
            async with conn.transaction():
                await project(conn, [event], today=today, late=True)
        except Exception as error:
            if not is_poison(error):
                raise
            return await parked.put(conn, event, reason_of(error))
        await parked.remove(conn, journal, position)
        return None


async def project(
    conn: asyncpg.Connection,
    events: Sequence[Delivered],
    *,
    today: int,
    incremental: bool = True,
    late: bool = False,
) -> None:
    """Write what events mean into the views, within the caller's transaction and lock.

    First what they are, then what follows from it: every later step reads what the earlier ones
    wrote, so that it does not matter what came in this batch and what in one before.
    """
    journal = events[0].journal
    arrivals = sort_events(events)
    # 1. Raw rows: every event in exactly one table.
    await keep(conn, journal, arrivals)
    # 2. The day and the policy that hold for the tenants.
    terms = await tenants.settle(conn, journal, arrivals.tenants, today)
    # 3. Who is who.
    await parties.update(conn, journal, arrivals, terms, late=late)
    changed = await links.update(conn, journal, arrivals)
    # 4. What the relationships are worth.
    fresh: dict[PairKey, list[Touchpoint]] = {}
    for event, touchpoint in arrivals.touchpoints:
        fresh.setdefault(PairKey(event.tenant, *touchpoint.pair), []).append(touchpoint)
    amended = await amendments.amended_touchpoints(conn, journal, arrivals)
    touched = await balances.update(conn, journal, terms, fresh, amended, incremental=incremental)
    await standings.update(conn, journal, terms, touched, changed)


async def keep(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the events of a batch as they are, each to the table of its kind."""
    await touchpoints.insert(conn, journal, arrivals)
    await amendments.insert(conn, journal, arrivals)
    await parties.insert_descriptions(conn, journal, arrivals)
    await links.insert(conn, journal, arrivals)
    await policies.insert(conn, journal, arrivals)
    await other_facts.insert(conn, journal, arrivals)
    await references.insert(conn, journal, arrivals)


async def _apply_whole(
    conn: asyncpg.Connection, events: Sequence[Delivered], write: Write
) -> Applied:
    async with conn.transaction():
        found, left = await checkpoint.lock_for(conn, events)
        if not left or found.parked > parked.PARKED_MAX:
            return _unmoved(found)
        await write(conn, left)
        await checkpoint.move(conn, left)
    last = left[-1]
    return Applied(last.position, last.recorded_at_us, len(left), (), found.parked, False)


def _unmoved(found: checkpoint.Checkpoint) -> Applied:
    stopped = found.parked > parked.PARKED_MAX
    return Applied(found.position, found.recorded_at_us, 0, (), found.parked, stopped)


@dataclass(slots=True)
class _Careful:
    """Applies events one savepoint after another, halving what fails down to the culprits."""

    conn: asyncpg.Connection
    write: Write
    parked_before: int
    parked: list[Parked] = field(default_factory=list)
    done: int = 0

    @property
    def stopped(self) -> bool:
        return self.parked_before + len(self.parked) > parked.PARKED_MAX

    async def run(self, events: Sequence[Delivered]) -> None:
        try:
            async with self.conn.transaction():
                await self.write(self.conn, events)
        except Exception as error:
            if not is_poison(error):
                raise
            if len(events) == 1:
                reason = reason_of(error)
                self.parked.append(await parked.put(self.conn, events[0], reason))
                self.done += 1
                return
        else:
            self.done += len(events)
            return
        middle = len(events) // 2
        await self.run(events[:middle])
        if not self.stopped:
            await self.run(events[middle:])


async def _apply_carefully(
    conn: asyncpg.Connection, events: Sequence[Delivered], write: Write
) -> Applied:
    async with conn.transaction():
        found, left = await checkpoint.lock_for(conn, events)
        if not left or found.parked > parked.PARKED_MAX:
            return _unmoved(found)
        careful = _Careful(conn, write, found.parked)
        await careful.run(left)
        done = left[: careful.done]
        await checkpoint.move(conn, done)
    total = found.parked + len(careful.parked)
    last = done[-1]
    return Applied(
        last.position,
        last.recorded_at_us,
        len(done),
        tuple(careful.parked),
        total,
        careful.stopped,
    )
