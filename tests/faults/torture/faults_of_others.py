"""Faults of those beside: one more relay, clocks that jump, poison."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rapport import derived_event_id

from services.ledger.domain.events import Batch, NewRecord
from services.ledger.journal.store import Journal
from services.runtime.clock import US_PER_SECOND
from tests.faults.torture.faults import Fault
from tests.faults.torture.proxy import FAIR, Weather
from tests.faults.torture.records import Planted
from tests.faults.torture.skewed import set_skew
from tests.faults.torture.skewed_postgres import set_now
from tests.faults.torture.stage import skew_file

_HOUR_US: Final = 3_600 * US_PER_SECOND
_BAD_WEATHER: Final = (
    FAIR,
    FAIR,
    Weather(latency_s=0.2, jitter_s=0.2),
    Weather(loses_down=True),
    Weather(refuses=True),
)


class SecondRelay(Fault):
    """One more ledger with a relay of its own joins, well or badly connected, and is killed."""

    name = "one-more-relay"
    lasts_s = (5.0, 20.0)

    def choose(self) -> None:
        self.target = "ledger-3"
        server = self.dice.choice(("postgres", "nats"))
        weather = self.dice.choice(_BAD_WEATHER)
        self.proxy, self.weather = self.stage.proxies[f"ledger-3>{server}"], weather
        self.detail = {"server": server} | {k: v for k, v in asdict(weather).items() if v}

    async def begin(self) -> None:
        if self.stage.third is None:
            self.stage.third = self.stage.cluster.make("ledger-3")
        await self.wholly(self.stage.third.start())
        await self.proxy.become(self.weather)

    async def end(self) -> None:
        await self.proxy.become(FAIR)
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


class PostgresClockJumps(Fault):
    """What PostgreSQL takes for the present is suddenly off: recorded_at comes from there."""

    name = "postgres-clock-jumps"
    lasts_s = (3.0, 15.0)

    def choose(self) -> None:
        self.target = "clock of postgres"
        # Little forth: recorded_at stands still until the right time has come up with it.
        self._skew_s = self.dice.choice((-7200, -20, -1, 1, 5, 20))
        self.detail = {"seconds": self._skew_s}

    async def begin(self) -> None:
        await set_now(self.stage, self._skew_s * US_PER_SECOND)

    async def end(self) -> None:
        await set_now(self.stage, 0)


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


OF_OTHERS: Final[Sequence[type[Fault]]] = (
    SecondRelay,
    ClockJumps,
    PostgresClockJumps,
    Poison,
)
