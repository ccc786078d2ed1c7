"""Recording drafts: resolve what they name, seal what is personal, serialise once, append.

Prepared and committed in two steps, so that a stream prepares its next batch while earlier ones
commit.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.ledger.api.drafts import Draft
from services.ledger.api.failures import event_id_taken
from services.ledger.api.resolving import (
    archived_target,
    own_target,
    refused_targets,
    stored_target,
    take_target,
)
from services.ledger.api.sealing import Sealer, erased_error
from services.ledger.domain.events import ArchivedEvent, Batch, NewRecord, Recorded, StoredEvent
from services.ledger.journal.outcomes import EventIdTaken, TargetAppeared
from services.runtime.caller import Caller
from services.runtime.errors import RapportError, Reason, Violation, invalid
from services.runtime.limits import EVENT_BYTES_MAX, REQUEST_BYTES_MAX
from services.runtime.payloads import rules

# Each round was refused because something changed meanwhile; nobody is refused for ever.
ROUNDS_MAX: Final = 8


class Log(Protocol):
    """What recording needs of the journal."""

    async def append(
        self, batch: Batch, *, deadline_s: float | None = None
    ) -> tuple[Recorded, ...]: ...

    async def get_many(self, tenant: str, event_ids: Collection[str]) -> dict[str, StoredEvent]: ...

    async def archived(
        self, tenant: str, event_ids: Collection[str]
    ) -> dict[str, ArchivedEvent]: ...


@dataclass(slots=True)
class Prepared:
    """A batch ready to be appended, and the drafts it came from for another round.

    `replays` are stored events that were compared with their drafts and found equal, by id; of
    archived ones without what only their file holds.
    """

    journal: str
    tenant: str
    caller: Caller
    drafts: Sequence[Draft]
    replays: dict[str, StoredEvent] = field(default_factory=dict)
    batch: Batch | None = None

    @property
    def rests_on_absence(self) -> bool:
        """Whether it names events that nobody has: when they appear, it takes another round."""
        return self.batch is not None and bool(self.batch.unknown_targets)


class Recorder:
    """Turns drafts into stored events."""

    def __init__(self, log: Log, sealer: Sealer) -> None:
        self._log = log
        self._sealer = sealer

    async def record(
        self,
        journal: str,
        tenant: str,
        caller: Caller,
        drafts: Sequence[Draft],
        *,
        deadline_s: float | None = None,
    ) -> tuple[Recorded, ...]:
        """Prepare and commit a batch; see there for what is raised."""
        prepared = await self.prepare(journal, tenant, caller, drafts)
        return await self.commit(prepared, deadline_s=deadline_s)

    async def prepare(
        self, journal: str, tenant: str, caller: Caller, drafts: Sequence[Draft]
    ) -> Prepared:
        """Everything up to the append. Nothing was written when it raises.

        Raises TARGET_NOT_VOIDABLE, TARGET_NOT_CORRECTABLE, TARGET_NOT_ENDABLE, SUBJECT_IS_ERASED,
        EVENT_ID_TAKEN, TOO_LARGE.
        """
        prepared = Prepared(journal, tenant, caller, drafts)
        await self._fill(prepared)
        return prepared

    async def commit(
        self, prepared: Prepared, *, deadline_s: float | None = None
    ) -> tuple[Recorded, ...]:
        """Append; answers in the order of the drafts.

        The journal has taken the batch in by the first time this yields to the loop. Raises the
        outcomes of services.ledger.journal.outcomes, and what `prepare` raises when the journal
        changed in between.
        """
        for last_round in (False,) * (ROUNDS_MAX - 1) + (True,):
            assert prepared.batch is not None
            try:
                return await self._log.append(prepared.batch, deadline_s=deadline_s)
            except TargetAppeared:
                if last_round:
                    raise
            except EventIdTaken as clash:
                if last_round or not (clash.taken or clash.archived):
                    raise _taken_without_event(prepared, clash) from clash
                for index, stored in clash.taken:
                    await self._settle(prepared, prepared.drafts[index], stored)
                for index, kept in clash.archived:
                    digest = prepared.batch.records[index].payload_sha256
                    _settle_archived(prepared, prepared.drafts[index], kept, digest)
            await self._fill(prepared)
        raise AssertionError("the last round returns or raises")

    async def _fill(self, prepared: Prepared) -> None:
        unknown = await self._resolve(prepared)
        open_drafts = [d for d in prepared.drafts if d.texts and d.event_id not in prepared.replays]
        sealed: dict[str, Any] = {}
        if open_drafts:
            await self._seal(prepared, open_drafts, sealed)
        prepared.batch = Batch(
            journal=prepared.journal,
            tenant=prepared.tenant,
            recorded_by=prepared.caller.principal,
            verified=prepared.caller.verified,
            records=_records(prepared, sealed),
            unknown_targets=unknown,
            known_replays=frozenset(prepared.replays),
        )

    async def _resolve(self, prepared: Prepared) -> frozenset[str]:
        """Homes and people of drafts that name events; the targets that are not stored.

        An event that is stored itself is a replay or a clash, whatever its target is by now.
        """
        drafts = [
            d
            for d in prepared.drafts
            if d.target is not None and d.event_id not in prepared.replays
        ]
        if not drafts:
            return frozenset()
        wanted = {d.event_id for d in drafts} | {d.target for d in drafts if d.target is not None}
        stored = await self._log.get_many(prepared.tenant, wanted)
        for draft in drafts:
            if draft.event_id in stored:
                await self._settle(prepared, draft, stored[draft.event_id])
        targets = {event_id: stored_target(event) for event_id, event in stored.items()}
        if missing := wanted - stored.keys():
            archived = await self._log.archived(prepared.tenant, missing)
            targets |= {event_id: archived_target(kept) for event_id, kept in archived.items()}
        unknown: set[str] = set()
        refused: list[tuple[Draft, Reason]] = []
        for draft in prepared.drafts:
            if draft.target is not None and draft.event_id not in prepared.replays:
                # A batch's own earlier events count, and an event cannot name itself.
                itself = own_target(draft) if draft.target == draft.event_id else None
                target = itself or targets.get(draft.target)
                reason = take_target(draft, target, prepared.tenant)
                if reason is not None:
                    refused.append((draft, reason))
                if target is None:
                    unknown.add(draft.target)
            targets.setdefault(draft.event_id, own_target(draft))
        if refused:
            raise refused_targets(refused)
        return frozenset(unknown)

    async def _seal(
        self, prepared: Prepared, drafts: Sequence[Draft], sealed: dict[str, Any]
    ) -> None:
        refused = await self._sealer.seal(prepared.tenant, drafts, sealed)
        if not refused:
            return
        # Text about somebody erased is taken no more, but what was recorded before the erasure
        # still answers as what it is.
        by_id = {draft.event_id: draft for draft, _, _ in refused}
        stored = await self._log.get_many(prepared.tenant, by_id.keys())
        for event_id, event in stored.items():
            await self._settle(prepared, by_id[event_id], event)
        archived = await self._log.archived(prepared.tenant, by_id.keys() - stored.keys())
        for event_id, kept in archived.items():
            _settle_archived(prepared, by_id[event_id], kept, None)
        left = [each for each in refused if each[0].event_id not in prepared.replays]
        if left:
            raise erased_error(left)

    async def _settle(self, prepared: Prepared, draft: Draft, stored: StoredEvent) -> None:
        """Note a replay, or raise EVENT_ID_TAKEN."""
        difference = await self._sealer.first_difference(prepared.tenant, draft, stored)
        if difference is not None:
            raise event_id_taken(stored.event_id, stored.position, difference)
        prepared.replays[draft.event_id] = stored


def _records(prepared: Prepared, sealed: dict[str, Any]) -> tuple[NewRecord, ...]:
    records, total_bytes = [], 0
    for draft in prepared.drafts:
        stored = prepared.replays.get(draft.event_id)
        if stored is not None:
            records.append(_replayed(draft, stored))
            continue
        payload = sealed.get(draft.event_id, draft.payload)
        assert not draft.texts or draft.event_id in sealed, "no text leaves unsealed"
        assert draft.home is not None
        data = payload.SerializeToString(deterministic=True)
        total_bytes += len(data)
        if len(data) > EVENT_BYTES_MAX:
            raise _too_large(f"{draft.path}.{draft.kind_of.field}", len(data), EVENT_BYTES_MAX)
        records.append(
            NewRecord(
                event_id=draft.event_id,
                type=draft.type,
                home=draft.home,
                kind=draft.kind,
                occurred_at_us=draft.occurred_at_us,
                expected_revision=draft.expected_revision,
                correlation_id=draft.correlation_id,
                causation_id=draft.causation_id,
                schema_version=draft.schema_version,
                payload=data,
                payload_sha256=hashlib.sha256(data).digest(),
            )
        )
    # Sealing adds to every text, and an occasion repeats its touchpoint.
    if total_bytes > 2 * REQUEST_BYTES_MAX:
        raise _too_large("events", total_bytes, 2 * REQUEST_BYTES_MAX)
    return tuple(records)


def _replayed(draft: Draft, stored: StoredEvent) -> NewRecord:
    return NewRecord(
        event_id=stored.event_id,
        type=stored.type,
        home=stored.home,
        kind=stored.kind,
        occurred_at_us=draft.occurred_at_us,
        expected_revision=draft.expected_revision,
        correlation_id=stored.correlation_id,
        causation_id=stored.causation_id,
        schema_version=stored.schema_version,
        payload=stored.payload,
        payload_sha256=stored.payload_sha256,
    )


def _settle_archived(
    prepared: Prepared, draft: Draft, kept: ArchivedEvent, digest: bytes | None
) -> None:
    """Note a replay of an event that is in a file, or raise EVENT_ID_TAKEN.

    Texts are sealed anew each time, so that hashes of events with texts never agree: those count
    as the same when everything that is kept of them does. `digest` is the draft's when it has none.
    """
    differs = {
        "type": draft.type != kept.type,
        "home": draft.home != kept.home,
        "schema_version": draft.schema_version != kept.schema_version,
        "occurred_at": draft.occurred_at_us not in (None, kept.occurred_at_us),
        "payload": not draft.texts and digest != kept.payload_sha256,
    }
    for field_name, is_different in differs.items():
        if is_different:
            raise event_id_taken(kept.event_id, kept.position, field_name)
    prepared.replays[draft.event_id] = StoredEvent(
        journal=prepared.journal,
        position=kept.position,
        tenant=prepared.tenant,
        event_id=kept.event_id,
        type=kept.type,
        home=kept.home,
        revision=kept.revision,
        kind=draft.kind,
        occurred_at_us=kept.occurred_at_us,
        recorded_at_us=kept.recorded_at_us,
        recorded_by="",
        verified=False,
        correlation_id="",
        causation_id="",
        schema_version=kept.schema_version,
        payload=b"",
        payload_sha256=kept.payload_sha256,
    )


def _too_large(path: str, size_bytes: int, limit_bytes: int) -> RapportError:
    fault = rules.too_large(size_bytes, limit_bytes)
    return invalid([Violation(path, fault.description, fault.reason, fault.metadata)])


def _taken_without_event(prepared: Prepared, clash: EventIdTaken) -> RapportError:
    """EVENT_ID_TAKEN when comparing it has no end: the events keep changing places."""
    if clash.taken:
        index, stored = clash.taken[0]
        return event_id_taken(prepared.drafts[index].event_id, stored.position, "payload")
    return RapportError(
        Reason.EVENT_ID_TAKEN,
        "an event id of the batch stands for another event",
        metadata={"field": "payload"},
    )
