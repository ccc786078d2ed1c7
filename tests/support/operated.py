"""A journal with its stream and its read models, written by a test without any service running."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import nats
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2

from services.ledger.domain.events import Batch, NewRecord, StoredEvent
from services.ledger.journal.store import Journal
from services.ledger.relay.message import message_of
from services.ledger.relay.stream import EventStream
from services.operator.config import Installation
from services.projector.facts import Delivered
from services.projector.projections.apply import apply
from services.projector.projections.turn import turn_chunk
from services.runtime.clock import SystemClock, day_of, instant_from_datetime
from services.runtime.policy import default_policy
from services.runtime.vault.master import MasterKeys
from services.runtime.vault.store import Vault
from tests.support.databases import Database
from tests.support.servers import NatsEndpoint

TENANT = "acme"
ANN, BOB, CAT, DAN = (f"people/{name}" for name in ("ann", "bob", "cat", "dan"))
MASTER_KEY = MasterKeys.generate_line("first")


def at(text: str) -> int:
    """The instant of an ISO time in UTC."""
    return instant_from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def event_id(number: int) -> str:
    """An event id that follows from a number."""
    return str(uuid.UUID(int=(number << 64) + (4 << 76) + (8 << 60)))


def today() -> int:
    """The day now."""
    return day_of(SystemClock().now_us())


@dataclass(slots=True)
class Operated:
    """A journal of the test's own; its name is no other test's, so that streams may share NATS."""

    database: Database
    server: NatsEndpoint
    journal: Journal
    name: str
    numbers: int = 0
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def installation(self) -> Installation:
        """What the operator's commands take."""
        return Installation.from_mapping(
            {
                **self.database.env(),
                "RAPPORT_NATS_URL": self.server.url,
                "RAPPORT_NATS_ADMIN_URL": self.server.admin_url,
                "RAPPORT_MASTER_KEY": MASTER_KEY,
            }
        )

    async def record(
        self, message: Any, home: str, *, when: str = "2026-01-12T10:00", kind: str | None = None
    ) -> str:
        """Append one event; its id."""
        payload = message.SerializeToString(deterministic=True)
        type_name = message.DESCRIPTOR.full_name
        return await self.record_bytes(payload, home, when=when, kind=kind, type_name=type_name)

    async def record_bytes(
        self,
        payload: bytes,
        home: str,
        *,
        when: str = "2026-01-12T10:00",
        kind: str | None = None,
        type_name: str = "rapport.events.v1.Touchpoint",
    ) -> str:
        """Append one event of any bytes; its id."""
        self.numbers += 1
        record = NewRecord(
            event_id=event_id(self.numbers),
            type=type_name,
            home=home,
            kind=kind,
            occurred_at_us=at(when),
            expected_revision=None,
            correlation_id="",
            causation_id="",
            schema_version=1,
            payload=payload,
            payload_sha256=hashlib.sha256(payload).digest(),
        )
        await self.journal.append(Batch(self.name, TENANT, "people/ann", False, (record,)))
        return record.event_id

    async def touch(
        self, a: str, b: str, kind: str, when: str = "2026-01-12T10:00", **more: Any
    ) -> str:
        """Append a touchpoint."""
        smaller, larger = sorted((a, b))
        message = touchpoint_pb2.Touchpoint(initiator=a, counterpart=b, kind=kind, **more)
        home = f"relationships/{smaller.removeprefix('people/')}~{larger.removeprefix('people/')}"
        return await self.record(message, home, when=when, kind=kind)

    async def void(self, target: str) -> str:
        """Append a Voided."""
        return await self.record(touchpoint_pb2.Voided(target=target), f"tenants/{TENANT}")

    async def tell_a_story(self) -> None:
        """Every kind of event: four people, two of whom are one, a policy, an erasure."""
        await self.touch(ANN, BOB, "call")
        like = await self.touch(ANN, BOB, "social.like", "2026-01-13T10:00")
        await self.touch(ANN, BOB, "social.like", "2026-01-14T10:00")
        incident = await self.touch(BOB, ANN, "incident", "2026-02-01T10:00", severity=2)
        fix = touchpoint_pb2.RECOVERY_STEP_FIX
        more: dict[str, Any] = {"resolves": incident, "recovery_step": fix}
        await self.touch(ANN, BOB, "recovery", "2026-02-01T12:00", **more)
        meal = await self.touch(ANN, CAT, "meal_or_social", "2026-02-02T12:00")
        await self.touch(ANN, DAN, "email.one_to_one", "2026-02-03T12:00")
        await self.touch(CAT, DAN, "call", "2026-02-04T12:00")
        corrected = touchpoint_pb2.Corrected(replaces=meal)
        corrected.touchpoint.CopyFrom(
            touchpoint_pb2.Touchpoint(initiator=CAT, counterpart=ANN, kind="call")
        )
        await self.record(corrected, "relationships/ann~cat")
        await self.void(like)
        linked = people_pb2.IdentityLinked(a=CAT, b=DAN, strength=people_pb2.LINK_STRENGTH_STRONG)
        await self.record(linked, CAT)
        for side, team in ((people_pb2.SIDE_EXTERNAL, ""), (people_pb2.SIDE_INTERNAL, "sales")):
            described = people_pb2.PartyDescribed(party=ANN, side=side, team=team)
            await self.record(described, ANN)
        await self.record(people_pb2.FactLearned(person="people/eve"), "people/eve")
        document = default_policy().canonical_json.replace('"version":1', '"version":2')
        await self.record(practice_pb2.PolicyAdopted(policy_json=document), f"tenants/{TENANT}")
        await self.erase(DAN)

    async def erase(self, subject: str, *, destroy: bool = True) -> str:
        """Destroy a subject's key and append the SubjectErased."""
        if destroy:
            pool = await asyncpg.create_pool(self.database.vault_dsn, min_size=0, max_size=1)
            try:
                vault = Vault(pool, MasterKeys.from_text(MASTER_KEY))
                await vault.keys_for(TENANT, [ANN, BOB, CAT, subject], create=True)
                upcoming = event_id(self.numbers + 1)
                await vault.erase(TENANT, subject, uuid.UUID(upcoming))
            finally:
                await pool.close()
        erased = people_pb2.SubjectErased(subject=subject, erased_at=Timestamp(seconds=1))
        return await self.record(erased, subject)

    async def events(self, from_position: int = 1) -> list[StoredEvent]:
        """The journal's events."""
        return [
            event
            async for chunk in self.journal.read_journal(self.name, from_position=from_position)
            for event in chunk.events
        ]

    async def publish(self, events: Sequence[StoredEvent] | None = None) -> None:
        """Bring the stream to the head, as the relay would."""
        row = await self.journal.head(self.name)
        client = await nats.connect(self.server.url)
        try:
            stream = EventStream(client, self.name)
            await stream.ensure()
            if events is None:
                events = await self.events((await stream.tail()).last_sequence + 1)
            if events:
                await stream.publish([message_of(event, row.incarnation) for event in events])
        finally:
            await client.close()

    async def project(self) -> None:
        """Bring the read models to the head, as the projector would."""
        row = await self.journal.head(self.name)
        conn = await asyncpg.connect(self.database.views_dsn)
        try:
            found = await conn.fetchval(
                "SELECT position FROM views.checkpoints WHERE journal = $1", self.name
            )
            events = await self.events((found or 0) + 1)
            if events:
                batch = [_delivered(event, row.incarnation) for event in events]
                await apply(conn, batch, today=today())
            while await turn_chunk(conn, self.name, today=today()) is not None:
                pass
        finally:
            await conn.close()

    async def everything(self) -> None:
        """Journal told, stream and read models at its head."""
        await self.tell_a_story()
        await self.publish()
        await self.project()

    async def owner(self, *statements: str) -> None:
        """Run statements as the owner, past the triggers that keep the journal as it is."""
        conn = await asyncpg.connect(self.database.admin_dsn)
        try:
            tables = await conn.fetch(
                "SELECT DISTINCT t.tgrelid::regclass::text AS name FROM pg_trigger t"
                " JOIN pg_class c ON c.oid = t.tgrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'journal' AND NOT t.tgisinternal"
            )
            for table in tables:
                await conn.execute(f"ALTER TABLE {table['name']} DISABLE TRIGGER ALL")
            for statement in statements:
                await conn.execute(statement)
        finally:
            await conn.close()

    async def forget_stream(self) -> None:
        """Delete the stream, as every test must."""
        client = await nats.connect(self.server.admin_url)
        try:
            jetstream = client.jetstream()
            name = EventStream(client, self.name).name
            if name in {info.config.name for info in await jetstream.streams_info()}:
                await jetstream.delete_stream(name)
        finally:
            await client.close()


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
