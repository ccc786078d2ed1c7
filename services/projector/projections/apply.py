"""Apply a batch of events: all rows and the checkpoint in one transaction, exactly once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

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
from services.projector.projections.together import Together, locked

# Up to so many, planning what a batch asks takes longer than asking it. For a thousand the planner
# had better know how many there are.
_FEW_EVENTS: Final = 50

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
    ahead = _sorted_ahead(events)
    write = partial(project, today=today, incremental=incremental, ahead=ahead)
    return await apply_with(conn, events, write, ahead)


async def apply_with(
    conn: asyncpg.Connection,
    events: Sequence[Delivered],
    write: Write,
    ahead: "Ahead | None" = None,
) -> Applied:
    """Apply events by a way of writing them, with everything that `apply` promises.

    `ahead`: what these events bring, if it is known and `write` asks for it.
    """
    try:
        return await _apply_whole(conn, events, write, ahead)
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
    ahead: "Ahead | None" = None,
) -> None:
    """Write what events mean into the views, within the caller's transaction and lock.

    First what they are, then what follows from it: every later step reads what the earlier ones
    wrote, so that it does not matter what came in this batch and what in one before. `ahead`: used
    where it is of these very events.
    """
    journal = events[0].journal
    if ahead is not None and ahead.events is events:
        arrivals = ahead.arrivals
    else:
        arrivals = sort_events(events)
    # 1. Raw rows: every event in exactly one table.
    await keep(conn, journal, arrivals)
    # 2. The day and the policy that hold for the tenants.
    terms = await tenants.settle(conn, journal, arrivals.tenants, today, adopting=arrivals.adopting)
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


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the events of a batch bring, sorted before its transaction began."""

    events: Sequence[Delivered]
    arrivals: Arrivals

    async def ask(self, together: Together) -> None:
        """Ask what writing them asks, where all of that can be known before anything is written."""
        journal, arrivals = self.events[0].journal, self.arrivals
        if not (arrivals.plain and arrivals.touchpoints):
            return
        pairs = {PairKey(event.tenant, *each.pair) for event, each in arrivals.touchpoints}
        keys = {
            "read_checkpoint": (),
            "tenants_by_name": [(tenant,) for tenant in arrivals.tenants],
            "identities_of_people": standings.ends_of(pairs),
            "amended_among": [(event.tenant, event.event_id) for event, _ in arrivals.touchpoints],
            "balances_of_pairs": pairs,
        }
        await together.ask(journal, keys)


def _sorted_ahead(events: Sequence[Delivered]) -> Ahead | None:
    try:
        return Ahead(events, sort_events(events))
    except Exception as error:
        if not is_poison(error):
            raise
    return None  # whoever writes them finds out again, and parks them


async def _apply_whole(
    conn: asyncpg.Connection, events: Sequence[Delivered], write: Write, ahead: Ahead | None
) -> Applied:
    few = len(events) <= _FEW_EVENTS
    async with locked(conn, events[0].journal, plan_once=few) as is_locked:
        together = Together(conn)
        if is_locked:
            if ahead is not None:
                await ahead.ask(together)
            found, left = await checkpoint.locked_for(together, events)
        else:
            # The first of its journal; another replica may make the checkpoint meanwhile.
            found, left = await checkpoint.lock_for(together, events)
        if not left or found.parked > parked.PARKED_MAX:
            return _unmoved(found)
        await write(together, left)
        await checkpoint.move(together, left)
        await together.flush()
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
                together = Together(self.conn)
                await self.write(together, events)
                await together.flush()
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
