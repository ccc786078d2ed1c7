"""What counts as tried, and that nothing of a fault goes on when it is mended."""

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from tests.faults.torture import records
from tests.faults.torture import schedule as module
from tests.faults.torture.faults import Fault
from tests.faults.torture.history import HistoryWriter, read
from tests.faults.torture.schedule import Schedule
from tests.faults.torture.stage import Stage


class Quick(Fault):
    """Happens."""

    name = "quick"
    lasts_s = (0.0, 0.0)

    def choose(self) -> None:
        self.target = "shared"

    async def begin(self) -> None:
        """Nothing to do."""


class Impossible(Quick):
    """Cannot happen."""

    name = "impossible"

    def choose(self) -> None:
        self.target = "nothing"

    async def begin(self) -> None:
        raise OSError("no")


class Slow(Fault):
    """Takes longer than it may, in a part that cannot be given up."""

    name = "slow"
    deadline_s = 0.01
    lasts_s = (0.0, 0.0)
    said: ClassVar[list[str]] = []

    def choose(self) -> None:
        self.target = "shared"

    async def begin(self) -> None:
        await self.wholly(self._stop())
        self.said.append("never")

    async def _stop(self) -> None:
        try:
            async with asyncio.timeout(0.1):
                await asyncio.Event().wait()
        except TimeoutError:
            self.said.append("stopped")

    async def end(self) -> None:
        self.said.append("started")


class NotHere(Quick):
    """Cannot be tried on this machine."""

    name = "not-here"
    here: ClassVar[bool] = False

    def choose(self) -> None:
        self.target = "elsewhere"

    @classmethod
    def why_not(cls, stage: Stage) -> str | None:
        return None if cls.here else "no root"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(module, "ALL", (Quick, Impossible, Slow, NotHere))
    monkeypatch.setattr(module, "_LULL_S", (0.0, 0.0))
    writers: list[HistoryWriter] = []

    def made(*names: str) -> Schedule:
        writer = HistoryWriter(tmp_path / f"{len(writers)}.jsonl", lambda: 0)
        writers.append(writer)
        stage = SimpleNamespace(history=writer, dice=lambda name: random.Random(f"1 {name}"))
        return Schedule(cast(Stage, stage), names)

    yield made
    for writer in writers:
        writer.close()


async def _ran(schedule: Schedule, rounds: int) -> Schedule:
    deck = schedule._deck()
    for _ in range(rounds):
        await schedule._round([next(deck)], 0.0)
    return schedule


async def test_what_failed_is_not_counted_as_done(make: Any) -> None:
    schedule = await _ran(make("quick", "impossible"), 4)
    assert schedule.done == {"quick": 2}
    assert schedule.failed == {"impossible": 2}
    assert schedule.undrawn == []


async def test_what_goes_on_beyond_the_deadline_has_ended_before_it_is_mended(make: Any) -> None:
    Slow.said.clear()
    schedule = await _ran(make("slow"), 1)
    assert Slow.said == ["stopped", "started"]
    assert schedule.failed == {"slow": 1}
    assert not schedule.done


class Stubborn(Quick):
    """Is not mended at the first try."""

    name = "stubborn"
    tries: ClassVar[int] = 0

    async def end(self) -> None:
        Stubborn.tries += 1
        if Stubborn.tries < 3:
            raise OSError("not yet")


async def test_what_is_not_mended_at_once_is_tried_again(make: Any, tmp_path: Path) -> None:
    Stubborn.tries = 0
    schedule = make("quick")
    await schedule._play(Stubborn(schedule._stage, random.Random(1)), 0.0, 0.0)
    assert Stubborn.tries == 3
    assert schedule.done == {"stubborn": 1}
    *_, last = read(tmp_path / "0.jsonl")
    assert isinstance(last, records.Fault)
    assert last.detail["done"] is True


async def test_kinds_whose_turn_never_came_are_named(make: Any) -> None:
    schedule = make()
    assert schedule.undrawn == ["impossible", "quick", "slow"]
    assert schedule.skipped == {"not-here": "no root"}


async def test_a_kind_that_another_one_is_in_the_way_of_comes_again(make: Any) -> None:
    schedule = make("quick", "slow")
    assert await schedule._round([Quick, Slow, Impossible], 0.0) == [Slow]


async def test_the_seed_means_the_same_where_some_kinds_cannot_be_tried(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[str]] = []
    for here in (True, False):
        monkeypatch.setattr(NotHere, "here", here)
        schedule = make("quick", "impossible", "not-here")
        of_run: list[str] = []

        async def play(fault: Fault, offset_s: float, lasts_s: float, to: Any = of_run) -> None:
            to.append(f"{fault.name} {fault.dice.random()}")

        monkeypatch.setattr(schedule, "_play", play)
        await _ran(schedule, 9)
        drawn.append([each for each in of_run if not each.startswith("not-here")])
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 6
