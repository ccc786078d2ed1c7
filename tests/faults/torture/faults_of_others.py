"""Faults of those beside: one more relay, clocks that jump, readers that do not read, poison."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final

import grpc
from rapport import derived_event_id
from rapport.v1 import ledger_service_pb2 as ledger
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

from services.ledger.domain.events import Batch, NewRecord
from services.ledger.journal.store import Journal
from services.runtime.clock import US_PER_SECOND
from tests.faults.torture.faults import Fault
from tests.faults.torture.records import Planted
from tests.faults.torture.skewed import set_skew
from tests.faults.torture.stage import skew_file

_SLOW_READERS: Final = 5
_HOUR_US: Final = 3_600 * US_PER_SECOND


class SecondRelay(Fault):
    """One more ledger with a relay of its own joins, and is killed."""

    name = "one-more-relay"
    lasts_s = (5.0, 20.0)

    def choose(self) -> None:
        self.target = "ledger-3"

    async def begin(self) -> None:
        if self.stage.third is None:
            self.stage.third = self.stage.cluster.make("ledger-3")
        await self.wholly(self.stage.third.start())

    async def end(self) -> None:
        if self.stage.third is not None:
            await asyncio.to_thread(self.stage.third.end)


class ClockJumps(Fault):
    """The clock of a process is suddenly off, and as suddenly right again."""

    name = "clock-jumps"
    lasts_s = (3.0, 15.0)

    def choose(self) -> None:
        replica = self.dice.choice(self.stage.replicas).name
        self.replica, self.target = replica, f"clock of {replica}"
        hours = self.dice.choice((-30, -2, -0.01, 0.01, 2, 30))
        self.detail = {"hours": hours}
        self._skew_us = int(hours * _HOUR_US)

    async def begin(self) -> None:
        where = skew_file(self.stage, self.replica)
        await self.wholly(asyncio.to_thread(set_skew, where, self._skew_us))

    async def end(self) -> None:
        await asyncio.to_thread(set_skew, skew_file(self.stage, self.replica), 0)


class SlowConsumers(Fault):
    """Subscribers that read once and never again."""

    name = "slow-consumers"
    lasts_s = (5.0, 20.0)

    def choose(self) -> None:
        self.tenant = self.dice.choice(sorted(sum(self.stage.journals.values(), ())))
        self.target = f"readers of {self.tenant}"
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        self._tasks = [asyncio.create_task(self._never_read()) for _ in range(_SLOW_READERS)]

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _never_read(self) -> None:
        who = (("x-rapport-tenant", self.tenant), ("x-rapport-principal", "services/slow"))
        target = self.stage.target("ledger", self.dice.randrange(2), alone=True)
        async with grpc.aio.insecure_channel(target) as channel:
            call = LedgerServiceStub(channel).SubscribeEvents(
                ledger.SubscribeEventsRequest(), metadata=who
            )
            await call.read()
            await asyncio.Event().wait()


class Poison(Fault):
    """An event whose bytes are none of its type is recorded past the edge."""

    name = "poison-event"
    lasts_s = (0.0, 0.0)

    def choose(self) -> None:
        self.journal = sorted(self.stage.journals)[-1]
        self.target = f"poison in {self.journal}"

    async def begin(self) -> None:
        (tenant, *_) = self.stage.journals[self.journal]
        payload = b"\xff\xff" + self.dice.randbytes(4)
        record = NewRecord(
            event_id=derived_event_id(f"poison {self.stage.seed}", payload.hex()),
            type="rapport.events.v1.Touchpoint",
            home="relationships/poison~poisoned",
            kind="call",
            occurred_at_us=820_000_000 * US_PER_SECOND,
            expected_revision=None,
            correlation_id="",
            causation_id="",
            schema_version=1,
            payload=payload,
            payload_sha256=hashlib.sha256(payload).digest(),
        )
        self.stage.history.write(Planted(event_id=record.event_id))
        async with asyncio.timeout(20):
            journal = await Journal.connect(self.stage.cluster.database.journal_dsn)
            try:
                await journal.start()
                batch = Batch(self.journal, tenant, "services/poison", False, (record,))
                await journal.append(batch)
            finally:
                await journal.close()


OF_OTHERS: Final[Sequence[type[Fault]]] = (SecondRelay, ClockJumps, SlowConsumers, Poison)
