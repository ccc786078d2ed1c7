"""What a test of a fault has for itself: a journal, dice, and what must hold at the end."""

import random
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import asyncpg
import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from rapport import Rapport, RetryPolicy
from rapport.events.connecting import connect

from services.operator.doctor.examination import examine
from services.operator.doctor.report import Difference
from services.projector.facts import Delivered
from services.runtime import streams
from services.runtime.clock import SystemClock, date_from_day, day_of
from tests.faults.cluster import Cluster, Replica, until
from tests.support import views_oracle

_numbers = count(1)
_EVENTS: Final = """
SELECT e.journal, j.incarnation::text, e.position, e.tenant, e.event_id::text, e.type, e.home,
       e.revision, coalesce(e.kind, '') AS kind, e.occurred_at_us, e.recorded_at_us, e.recorded_by,
       e.schema_version, e.payload
  FROM journal.events e JOIN journal.journals j USING (journal)
 WHERE e.journal = $1 ORDER BY e.position
"""
_FREE: Final = "SELECT FROM views.checkpoints WHERE journal = $1 FOR UPDATE SKIP LOCKED"
_MAY_HOLD_IT: Final = """
SELECT FROM pg_catalog.pg_stat_activity
 WHERE usename = $1 AND application_name = 'rapport-projector-intake' AND xact_start IS NOT NULL
   AND wait_event_type IS DISTINCT FROM 'Lock'
"""


@dataclass(slots=True)
class Scene:
    """A journal and its tenant, of the same name. `client` asks whichever replicas answer."""

    cluster: Cluster
    name: str
    seed: int
    client: Rapport
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    @property
    def stream(self) -> str:
        """The name of its stream."""
        return streams.stream_name(self.name)

    def patient(self, **more: Any) -> Rapport:
        """A client of the tenant that repeats what may pass."""
        return self.cluster.client(self.name, **more)

    def impatient(self, attempt_s: float = 3.0, **more: Any) -> Rapport:
        """A client that hears of every failure: one attempt a call."""
        once = RetryPolicy(
            timeout_s=attempt_s,
            attempt_timeout_s=attempt_s,
            first_delay_s=1e6,
            delay_max_s=1e6,
            random=_one,
        )
        return self.cluster.client(self.name, retry=once, **more)

    async def head(self) -> int:
        """The journal's head, as PostgreSQL has it."""
        found = await self.owner("SELECT head FROM journal.journals WHERE journal = $1", self.name)
        return int(found[0]["head"])

    async def events(self) -> list[Delivered]:
        """Everything in the journal, as PostgreSQL has it."""
        return [Delivered(**dict(row)) for row in await self.owner(_EVENTS, self.name)]

    async def owner(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Rows of a statement run as the database's owner."""
        connection = await asyncpg.connect(self.cluster.database.admin_dsn)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows
        finally:
            await connection.close()

    async def checkpoint(self) -> int:
        """How far the read models are."""
        rows = await self.owner(
            "SELECT position FROM views.checkpoints WHERE journal = $1", self.name
        )
        return int(rows[0]["position"]) if rows else 0

    async def last_sequence(self) -> int:
        """How far the stream is; -1 without one or without NATS."""
        try:
            client = await connect(self.cluster.nats.url, allow_reconnect=False, error_cb=_quiet)
        except (OSError, nats.errors.Error):
            return -1
        try:
            info = await client.jetstream(timeout=2).stream_info(self.stream)
            return int(info.state.last_seq)
        except (nats.errors.Error, nats.js.errors.Error):
            return -1
        finally:
            await client.close()

    async def until_streamed(self, position: int) -> None:
        """Returns when the stream holds the position."""
        await until(lambda: _at_least(self.last_sequence, position), f"position {position} on NATS")

    async def until_projected(self, position: int) -> None:
        """Returns when the read models hold the position."""
        await until(lambda: _at_least(self.checkpoint, position), f"position {position} projected")

    async def holder(self) -> Replica:
        """The projector that follows this journal."""

        async def look() -> Replica | None:
            name = ("rapport_projector_holds_journal", self.name)
            for projector in self.cluster.projectors:
                with suppress(OSError):  # one that is dead holds nothing
                    if (await projector.metrics()).get(name) == 1:
                        return projector
            return None

        found: Replica = await until(look, "a projector that follows")
        return found

    async def freeze_in_transaction(self) -> Replica:
        """Freeze the projector that has the checkpoint locked; somebody has to append meanwhile."""

        async def look() -> Replica | None:
            projector = await self.holder()
            projector.freeze()
            (other,) = (each for each in self.cluster.projectors if each is not projector)
            locked = not await self.owner(_FREE, self.name)
            if locked and not await self.owner(_MAY_HOLD_IT, other.views_login):
                return projector
            projector.thaw()
            return None

        found: Replica = await until(look, "the checkpoint locked")
        return found

    async def leader(self) -> Replica:
        """The ledger whose relay publishes this journal; somebody has to append meanwhile."""

        async def positions() -> list[float]:
            name = ("rapport_relay_position", self.name)
            return [(await ledger.metrics()).get(name, 0) for ledger in self.cluster.ledgers]

        before = await positions()

        async def look() -> Replica | None:
            after = await positions()
            moved = [
                ledger
                for ledger, was, now in zip(self.cluster.ledgers, before, after, strict=True)
                if now > was
            ]
            return moved[0] if moved else None

        found: Replica = await until(look, "a relay that publishes")
        return found

    async def until_intake(self, state: str) -> None:
        """Returns when the intake of this journal, whoever has it, is in a state."""
        name = ("rapport_projector_intake_state", self.name, state)

        async def look() -> bool:
            return any([(await each.metrics()).get(name) == 1 for each in self.cluster.projectors])

        await until(look, f"the intake {state}")

    async def assert_whole(self, acknowledged: Mapping[str, int]) -> None:
        """All that must hold when a fault is over, of what was acknowledged (id to position)."""
        events = await self.events()
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        assert await self.head() == len(events)
        at = {event.event_id: event.position for event in events}
        assert len(at) == len(events), "an event is recorded twice"
        lost = {key: place for key, place in acknowledged.items() if at.get(key) != place}
        assert not lost, f"acknowledged, and not (there) in the journal: {lost}"
        await self.assert_doctor_is_content()
        await self._assert_streamed(events)
        await self._assert_balances(events)

    async def assert_doctor_is_content(self) -> None:
        """`rapport doctor` finds no difference."""
        report = await examine(self.cluster.installation, journal=self.name)
        assert report.exit_code == 0, report.document()

    async def first_difference(self) -> Difference | None:
        """The first difference the doctor finds, in the journal of this scene or the key store."""
        report = await examine(self.cluster.installation, journal=self.name)
        return None if report.first is None else report.first[1].difference

    async def _assert_streamed(self, events: list[Delivered]) -> None:
        """Message by message, with nothing of the doctor's."""
        client = await connect(self.cluster.nats.url)
        try:
            found: list[Msg] = []
            subscription = await client.jetstream().subscribe(
                streams.journal_subjects(self.name), stream=self.stream, ordered_consumer=True
            )
            while len(found) < len(events):
                found.append(await subscription.next_msg(timeout=10))
        finally:
            await client.close()
        for event, message in zip(events, found, strict=True):
            headers = message.headers or {}
            assert message.metadata.sequence.stream == event.position
            assert headers[streams.POSITION] == str(event.position)
            assert headers[streams.EVENT_ID] == event.event_id
            assert message.data == event.payload

    async def _assert_balances(self, events: list[Delivered]) -> None:
        """Both projectors answer what the domain folds of the journal."""
        today = day_of(SystemClock().now_us())
        expected = views_oracle.standings(events, today)
        pairs = list(expected)
        for projector in self.cluster.projectors:
            async with self.patient(projector=projector.target) as client:
                answer = await client.balances_of(
                    pairs, on=date_from_day(today), min_position=len(events)
                )
            for pair, balance in zip(pairs, answer.balances, strict=True):
                found = (balance.know_mp, balance.care_mp, balance.buffer_mp)
                assert found == expected[pair][:3], pair


async def next_scene(cluster: Cluster, seed: int | None) -> Scene:
    """A scene on the journal made ahead; makes the next one, for relays and projectors to find."""
    async with cluster.client() as client:
        if not cluster.ahead:
            cluster.ahead = await _make(client)
        name, cluster.ahead = cluster.ahead, await _make(client)
    return Scene(cluster, name, seed or secrets.randbits(32), cluster.client(name))


async def _make(client: Rapport) -> str:
    name = f"faults-{next(_numbers)}-{secrets.token_hex(3)}"
    await client.create_journal(name)
    await client.create_tenant(name, journal=name)
    return name


async def _at_least(look: Any, position: int) -> bool:
    return int(await look()) >= position


def _one() -> float:
    return 1.0


async def _quiet(_: Exception) -> None:
    """Errors come as exceptions of what was asked for."""
