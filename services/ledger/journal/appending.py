"""One group into one journal: arrays in, a verdict for every batch out."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from services.ledger.domain.events import Batch, NewRecord, Recorded
from services.ledger.journal.outcomes import (
    JournalUnknown,
    RevisionConflict,
    TargetAppeared,
    Unavailable,
    is_outcome,
    is_partition_missing,
    is_worth_repeating,
    outcome_of,
)
from services.runtime import literals
from services.runtime.logs import get_logger
from services.runtime.pg import is_connection_lost, load_sql

ATTEMPTS_MAX: Final = 3
_ACQUIRE_TIMEOUT_S: Final = 5.0
_SQL: Final = load_sql("services.ledger.journal.sql")

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Clash:
    """Records, by their place in the batch, whose event ids stand for other events."""

    indexes: tuple[int, ...]


type Verdict = tuple[Recorded, ...] | Clash


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a group: a verdict or an exception a batch, in order.

    `head` is the journal's afterwards, `appended` how many events are new; None and 0 when nothing
    can be said.
    """

    verdicts: Sequence[Verdict | BaseException]
    head: int | None = None
    appended: int = 0


class Appender:
    """Writes groups through a pool of the writer's; any number of processes may have one."""

    def __init__(self, pool: asyncpg.Pool, more_partitions: Callable[[], Awaitable[Any]]) -> None:
        self._pool = pool
        self._more_partitions = more_partitions

    async def commit(self, journal: str, batches: Sequence[Batch]) -> Committed:
        """Commit a group in one transaction; never raises, but answers with what went wrong.

        A fault in one batch (text that Postgres does not take, say) fails the transaction of all:
        then the group is halved until the fault is alone, so that it fails nobody else.
        """
        try:
            row = await self._write(journal, batches)
        except Exception as error:  # noqa: BLE001 - each becomes an outcome, or a fault of one batch
            outcome = outcome_of(error)
            if is_outcome(outcome) or len(batches) == 1:
                return Committed([outcome] * len(batches))
            half = len(batches) // 2
            first = await self.commit(journal, batches[:half])
            second = await self.commit(journal, batches[half:])
            head = first.head if second.head is None else second.head
            verdicts = [*first.verdicts, *second.verdicts]
            return Committed(verdicts, head, first.appended + second.appended)
        if row["o_head"] is None:
            return Committed([JournalUnknown(journal)] * len(batches))
        positions = row["o_positions"]
        return Committed(
            _verdicts(row, batches), row["o_head"], len(positions) - positions.count(None)
        )

    async def _write(self, journal: str, batches: Sequence[Batch]) -> Any:
        arguments = _columns(journal, batches)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await self._send(arguments)
            except asyncpg.PostgresError as error:
                if attempt == ATTEMPTS_MAX:
                    raise
                if is_partition_missing(error):
                    await self._more_partitions()
                elif not is_worth_repeating(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _send(self, arguments: Sequence[Any]) -> Any:
        try:
            connection = await self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
        except Exception as error:
            _log.warning("no connection to append with", exc_info=True)
            raise Unavailable("Postgres cannot be reached") from error
        try:
            return await connection.fetchrow(_SQL["append_group"], *arguments)
        except Exception as error:
            if is_connection_lost(error) or isinstance(error, TimeoutError):
                # Nobody should get it again, dead or half alive; the pool may know already.
                with suppress(asyncpg.InterfaceError):
                    connection.terminate()
            raise
        finally:
            await self._pool.release(connection)


def _columns(journal: str, batches: Sequence[Batch]) -> list[Any]:
    """The arguments of the statement append_group."""
    requests: list[int] = []
    tenants: list[str] = []
    recorded_by: list[str] = []
    verified: list[bool] = []
    records: list[NewRecord] = []
    targets: list[tuple[int, str, str]] = []
    for number, batch in enumerate(batches, start=1):
        size = len(batch.records)
        requests += [number] * size
        tenants += [batch.tenant] * size
        recorded_by += [batch.recorded_by] * size
        verified += [batch.verified] * size
        records += batch.records
        targets += [(number, batch.tenant, target) for target in sorted(batch.unknown_targets)]
    homes: dict[tuple[str, str], list[int]] = {}
    home_numbers: list[int] = []
    home_counts: list[int] = []
    for tenant, record in zip(tenants, records, strict=True):
        home = homes.setdefault((tenant, record.home), [len(homes) + 1, 0])
        home[1] += 1
        home_numbers.append(home[0])
        home_counts.append(home[1])
    expected = [r.expected_revision for r in records]
    correlations = [r.correlation_id or None for r in records]
    causations = [r.causation_id or None for r in records]
    known: list[bool] | None = None
    if any(batch.known_replays for batch in batches):
        known = [r.event_id in batch.known_replays for batch in batches for r in batch.records]
    return [
        journal,
        literals.numbers(requests),
        literals.names(tenants),
        literals.names(recorded_by),
        literals.flags(verified),
        literals.names([r.event_id for r in records]),
        literals.names([r.type for r in records]),
        literals.names([r.home for r in records]),
        literals.numbers(home_numbers),
        literals.numbers(home_counts),
        literals.names_or_null(r.kind for r in records),
        literals.numbers_or_null(r.occurred_at_us for r in records),
        None if _all_null(expected) else literals.numbers_or_null(expected),
        None if _all_null(correlations) else correlations,
        None if _all_null(causations) else literals.names_or_null(causations),
        literals.numbers(r.schema_version for r in records),
        [r.payload for r in records],
        literals.digests(r.payload_sha256 for r in records),
        None if known is None else literals.flags(known),
        literals.names([tenant for tenant, _ in homes]),
        literals.names([home for _, home in homes]),
        literals.numbers(number for number, _, _ in targets),
        literals.names([tenant for _, tenant, _ in targets]),
        literals.names([target for _, _, target in targets]),
    ]


def _all_null(values: Sequence[Any]) -> bool:
    return values.count(None) == len(values)


def _verdicts(row: Any, batches: Sequence[Batch]) -> list[Verdict | BaseException]:
    known = {
        ordinal - 1: Recorded("", position, home, revision, True, recorded_at_us, occurred_at_us)
        for ordinal, position, home, revision, recorded_at_us, occurred_at_us in zip(
            row["o_known_ordinals"] or (),
            row["o_known_positions"] or (),
            row["o_known_homes"] or (),
            row["o_known_revisions"] or (),
            row["o_known_recorded_at_us"] or (),
            row["o_known_occurred_at_us"] or (),
            strict=True,
        )
    }
    taken = {ordinal - 1 for ordinal in row["o_taken_ordinals"] or ()}
    conflicts = {
        ordinal - 1: current
        for ordinal, current in zip(
            row["o_conflict_ordinals"] or (), row["o_conflict_current"] or (), strict=True
        )
    }
    appeared: dict[int, set[str]] = {}
    for number, target in zip(
        row["o_appeared_requests"] or (), row["o_appeared"] or (), strict=True
    ):
        appeared.setdefault(number - 1, set()).add(str(target))

    verdicts: list[Verdict | BaseException] = []
    start = 0
    for number, batch in enumerate(batches):
        places = range(start, start + len(batch.records))
        start = places.stop
        verdicts.append(
            _clash(taken, places)
            or _appeared(appeared.get(number))
            or _conflict(conflicts, places, batch)
            or _recorded(row, known, places, batch)
        )
    return verdicts


def _clash(taken: set[int], places: range) -> Clash | None:
    indexes = tuple(place - places.start for place in places if place in taken) if taken else ()
    return Clash(indexes) if indexes else None


def _appeared(targets: set[str] | None) -> TargetAppeared | None:
    return TargetAppeared(frozenset(targets)) if targets else None


def _conflict(conflicts: dict[int, int], places: range, batch: Batch) -> RevisionConflict | None:
    first = next((place for place in places if place in conflicts), None) if conflicts else None
    if first is None:
        return None
    record = batch.records[first - places.start]
    assert record.expected_revision is not None
    return RevisionConflict(
        index=first - places.start,
        event_id=record.event_id,
        home=record.home,
        expected=record.expected_revision,
        current=conflicts[first],
    )


def _recorded(
    row: Any, known: dict[int, Recorded], places: range, batch: Batch
) -> tuple[Recorded, ...]:
    positions, revisions, now_us = row["o_positions"], row["o_revisions"], row["o_recorded_at_us"]
    recorded = []
    for place, record in zip(places, batch.records, strict=True):
        position = positions[place]
        if position is None:
            first = known[place]
            recorded.append(
                Recorded(
                    record.event_id,
                    first.position,
                    first.home,
                    first.revision,
                    True,
                    first.recorded_at_us,
                    first.occurred_at_us,
                )
            )
            continue
        occurred_at_us = now_us if record.occurred_at_us is None else record.occurred_at_us
        recorded.append(
            Recorded(
                record.event_id,
                position,
                record.home,
                revisions[place],
                False,
                now_us,
                occurred_at_us,
            )
        )
    return tuple(recorded)
