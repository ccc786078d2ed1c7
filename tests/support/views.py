"""A projector in the process of a test: real Postgres, real gRPC on port 0, a clock that stands.

Events are written with `Author`, which seals texts as the ledger's edge does, and go through the
real projections.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg
import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import common_pb2, people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1.capital_service_pb2_grpc import CapitalServiceStub
from rapport.v1.relationship_service_pb2_grpc import RelationshipServiceStub
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceStub

from services.projector.api import SERVICE_NAMES, Dependencies, add_services
from services.projector.bundle.signing import signing_key_of
from services.projector.facts import Delivered
from services.projector.projections.apply import apply
from services.projector.projections.turn import turn_chunk
from services.projector.queries.snapshot import Views, plan_by_index
from services.projector.queries.waiting import Positions
from services.runtime.caller import MetadataIdentifier
from services.runtime.clock import (
    FixedClock,
    day_from_date,
    instant_from_iso,
    timestamp_from_instant,
)
from services.runtime.errors import RapportError, Reason
from services.runtime.names import relationship_of
from services.runtime.personal_texts import personal_texts
from services.runtime.pg import create_pool
from services.runtime.server import RpcServer
from services.runtime.vault import MasterKeys, SubjectKeys, Vault, seal
from tests.support.databases import Database

JOURNAL: Final = "main"
TENANT: Final = "acme"
OTHER_TENANT: Final = "other"
NOW: Final = "2026-06-01T12:00:00Z"
INCARNATION: Final = "00000000-0000-4000-8000-000000000001"


class KnownTenants:
    """A directory of two tenants of one journal."""

    async def journal_of(self, tenant: str) -> str:
        """Their journal; TENANT_UNKNOWN for any other."""
        if tenant in (TENANT, OTHER_TENANT):
            return JOURNAL
        raise RapportError(Reason.TENANT_UNKNOWN, "no such tenant", metadata={"tenant": tenant})


def touch(a: str, b: str, kind: str, **more: Any) -> touchpoint_pb2.Touchpoint:
    """A touchpoint of two ids; `note` as plain text."""
    note = more.pop("note", None)
    made = touchpoint_pb2.Touchpoint(
        initiator=f"people/{a}", counterpart=f"people/{b}", kind=kind, **more
    )
    if note is not None:
        made.note.text = note
    return made


def void(target: str) -> touchpoint_pb2.Voided:
    """A void."""
    return touchpoint_pb2.Voided(target=target)


def correct(
    target: str, touchpoint: touchpoint_pb2.Touchpoint, at: str | None = None
) -> touchpoint_pb2.Corrected:
    """A correction, of the same instant unless told."""
    made = touchpoint_pb2.Corrected(replaces=target, touchpoint=touchpoint)
    if at is not None:
        seconds, nanos = timestamp_from_instant(instant_from_iso(at))
        made.occurred_at.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    return made


def link(a: str, b: str) -> people_pb2.IdentityLinked:
    """A strong link of two ids."""
    return people_pb2.IdentityLinked(
        a=f"people/{a}", b=f"people/{b}", strength=people_pb2.LINK_STRENGTH_STRONG
    )


def unlink(target: str, a: str, b: str) -> people_pb2.IdentityUnlinked:
    """The end of a link."""
    return people_pb2.IdentityUnlinked(a=f"people/{a}", b=f"people/{b}", ends=target)


def described(party: str, **more: Any) -> people_pb2.PartyDescribed:
    """A description; `name` as plain text."""
    name = more.pop("name", None)
    made = people_pb2.PartyDescribed(party=party, **more)
    if name is not None:
        made.display_name.text = name
    return made


def fact(person: str, text: str, **more: Any) -> people_pb2.FactLearned:
    """A fact about a person."""
    made = people_pb2.FactLearned(person=f"people/{person}", **more)
    made.text.text = text
    return made


def noted(person: str, label: str, month: int, day: int, **more: Any) -> people_pb2.DateNoted:
    """A date of a person."""
    made = people_pb2.DateNoted(person=f"people/{person}", month=month, day=day, **more)
    made.label.text = label
    return made


def adopt(policy_json: str) -> practice_pb2.PolicyAdopted:
    """The adoption of a policy."""
    return practice_pb2.PolicyAdopted(policy_json=policy_json)


def date_of(text: str) -> common_pb2.Date:
    """A date from YYYY-MM-DD."""
    year, month, day = text.split("-")
    return common_pb2.Date(year=int(year), month=int(month), day=int(day))


@dataclass
class Running:
    """The projector under test, its stubs, and the means to give it events."""

    pool: asyncpg.Pool
    vault: Vault
    clock: FixedClock
    positions: Positions
    capital: Any
    timeline: Any
    relationships: Any
    channel: grpc.aio.Channel
    target: str
    pending: list[Delivered] = field(default_factory=list)
    head: int = 0

    @property
    def today(self) -> int:
        """The clock's day."""
        return self.clock.now_us() // 86_400_000_000

    async def add(
        self,
        message: Message,
        at: str = "2026-05-01T09:00:00Z",
        *,
        event_id: str | None = None,
        tenant: str = TENANT,
        by: str = "services/importer",
    ) -> str:
        """Append an event, texts sealed; its id. Seen by queries after `settle`.

        Recorded a second after the one before, from 2026-05-31T00:00:01Z on.
        """
        self.head += 1
        event_id = event_id or str(UUID(int=0x1000 + self.head))
        payload = type(message)()
        payload.CopyFrom(message)
        await self._seal(payload, tenant, event_id)
        recorded_at_us = instant_from_iso("2026-05-31T00:00:00Z") + self.head * 1_000_000
        self.pending.append(
            Delivered(
                journal=JOURNAL,
                incarnation=INCARNATION,
                position=self.head,
                tenant=tenant,
                event_id=event_id,
                type=payload.DESCRIPTOR.full_name,
                home=_home(payload, by),
                revision=1,
                kind=getattr(payload, "kind", "") if hasattr(payload, "initiator") else "",
                occurred_at_us=instant_from_iso(at),
                recorded_at_us=recorded_at_us,
                recorded_by=by,
                schema_version=1,
                payload=payload.SerializeToString(deterministic=True),
            )
        )
        return event_id

    async def settle(self, *, turn: bool = True) -> int:
        """Apply what was added, in batches, and (with `turn`) bring all lists to today."""
        pending, self.pending = self.pending, []
        async with self.pool.acquire() as conn:
            for start in range(0, len(pending), 500):
                applied = await apply(conn, pending[start : start + 500], today=self.today)
                assert not applied.parked, applied.parked
            while turn and await turn_chunk(conn, JOURNAL, today=self.today) is not None:
                pass
        self.positions.reached(JOURNAL, self.head)
        return self.head

    async def _seal(self, payload: Message, tenant: str, event_id: str) -> None:
        named = _named(payload)
        for path, text in personal_texts(payload):
            subjects = sorted({*named, *text.data_subjects})
            keys: SubjectKeys = await self.vault.keys_for(tenant, subjects, create=True)
            sealed = seal(keys, subjects, tenant, UUID(event_id), path, text.text)
            text.Clear()
            text.sealed = sealed
            text.sealed_for.extend(subjects)


def caller(
    principal: str = "people/me", tenant: str | None = TENANT
) -> tuple[tuple[str, str], ...]:
    """The metadata of a caller."""
    named = (("x-rapport-principal", principal),)
    return named if tenant is None else (*named, ("x-rapport-tenant", tenant))


def relationship(a: str, b: str) -> str:
    """The name of a relationship of two ids."""
    return relationship_of(f"people/{a}", f"people/{b}").name


def day(text: str) -> int:
    """Days since 2000-01-01 of YYYY-MM-DD."""
    return day_from_date(date.fromisoformat(text))


@asynccontextmanager
async def running_projector(
    database: Database, *, now: str = NOW, tenants: Any = None
) -> AsyncIterator[Running]:
    """A projector on a database; everything of it ends with the block."""
    pool = await _pool(database.views_dsn)
    vault_pool = await _pool(database.vault_dsn)
    clock = FixedClock(instant_from_iso(now))
    queries = await _pool(database.views_dsn, init=plan_by_index)
    views = Views(queries)
    positions = Positions(views.position, poll_s=0.01)
    master_keys = MasterKeys.from_text(MasterKeys.generate_line("test"))
    vault = Vault(vault_pool, master_keys)
    server = RpcServer(SERVICE_NAMES, MetadataIdentifier())
    add_services(
        server.edge,
        Dependencies(
            views=views,
            positions=positions,
            tenants=tenants or KnownTenants(),
            keys=vault,
            clock=clock,
            signing_key=signing_key_of(master_keys),
        ),
    )
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Running(
                pool=pool,
                vault=vault,
                clock=clock,
                positions=positions,
                capital=CapitalServiceStub(channel),
                timeline=TimelineServiceStub(channel),
                relationships=RelationshipServiceStub(channel),
                channel=channel,
                target=f"127.0.0.1:{port}",
            )
    finally:
        await server.stop(notice_s=0, grace_s=0)
        await queries.close()
        await pool.close()
        await vault_pool.close()


async def _pool(dsn: str, init: Any = None) -> asyncpg.Pool:
    return await create_pool(
        dsn,
        application_name="rapport-test",
        size_min=1,
        size_max=4,
        statement_timeout_ms=30_000,
        lock_timeout_ms=10_000,
        idle_in_transaction_timeout_ms=30_000,
        init=init,
    )


def _home(payload: Any, by: str) -> str:
    """Where facts about parties, lists and answers are at home; of no account elsewhere."""
    if isinstance(payload, practice_pb2.WatchListSaved | practice_pb2.AttentionAnswered):
        return by
    for field_name in ("person", "party", "about", "subject"):
        if (party := getattr(payload, field_name, "")) and isinstance(party, str):
            return party
    return ""


def _named(payload: Any) -> Sequence[str]:
    """Whom an event names."""
    if isinstance(payload, touchpoint_pb2.Corrected):
        return _named(payload.touchpoint)
    if isinstance(payload, touchpoint_pb2.Touchpoint):
        return payload.initiator, payload.counterpart
    if isinstance(payload, people_pb2.PartyDescribed):
        return (payload.party,)
    if isinstance(payload, people_pb2.IdentityLinked):
        return payload.a, payload.b
    if isinstance(payload, people_pb2.FactLearned | people_pb2.DateNoted):
        return (payload.person,)
    if isinstance(payload, people_pb2.SignalObserved):
        return (payload.about,)
    return ()
