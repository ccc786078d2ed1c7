"""Which fault, when, how long, and with which others: all of it from the seed."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from tests.faults.torture import records
from tests.faults.torture.faults import OF_PROCESSES, Fault
from tests.faults.torture.faults_of_others import OF_OTHERS
from tests.faults.torture.faults_of_readers import OF_READERS
from tests.faults.torture.faults_of_stores import OF_STORES
from tests.faults.torture.faults_on_the_way import ON_THE_WAY
from tests.faults.torture.stage import Stage

ALL: Final[Sequence[type[Fault]]] = (
    *OF_PROCESSES,
    *ON_THE_WAY,
    *OF_STORES,
    *OF_OTHERS,
    *OF_READERS,
)
# So many at a time, out of which one is chosen.
_TOGETHER: Final = (1, 2, 2, 3, 3)
# Between two rounds, in seconds: time to recover, sometimes not enough.
_LULL_S: Final = (0.5, 5.0)
_MEND_TRIES: Final = 3


class Schedule:
    """Breaks and mends until the time is up.

    `done` counts faults that happened, `failed` those that could not because of another one, both
    by name. The seed decides the same of every kind, whether or not it can be tried here.
    """

    def __init__(self, stage: Stage, wanted: Sequence[str] = ()) -> None:
        """`wanted`: only these names; ValueError for one that is none."""
        known = {fault.name: fault for fault in ALL}
        if unknown := set(wanted) - set(known):
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        self._stage, self._dice = stage, stage.dice("schedule")
        chosen = [known[name] for name in wanted] or list(ALL)
        self.skipped = {f.name: why for f in chosen if (why := f.why_not(stage)) is not None}
        self._kinds = chosen
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    async def run(self, until_s: float) -> None:
        """Round after round until `until_s` (monotonic); everything begun is ended."""
        deck = self._deck()
        put_back: list[type[Fault]] = []
        while len(self.skipped) < len(self._kinds) and time.monotonic() < until_s:
            drawn = [*put_back, *islice(deck, self._dice.choice(_TOGETHER))]
            put_back = await self._round(drawn, until_s)
            await asyncio.sleep(self._dice.uniform(*_LULL_S))

    @property
    def undrawn(self) -> list[str]:
        """Kinds whose turn never came."""
        names = {fault.name for fault in self._kinds}
        return sorted(names - set(self.done) - set(self.failed) - set(self.skipped))

    def _deck(self) -> Iterator[type[Fault]]:
        """Every kind once, in any order, before any comes again."""
        while True:
            kinds = list(self._kinds)
            self._dice.shuffle(kinds)
            yield from kinds

    async def _round(self, kinds: Sequence[type[Fault]], until_s: float) -> list[type[Fault]]:
        """Play them together; those that need what another one of them has to itself."""
        claimed: set[str] = set()
        tasks: list[asyncio.Task[None]] = []
        put_back: list[type[Fault]] = []
        for kind in kinds:
            # Dice of its own: how far another fault has come must not change what this one does.
            fault = kind(self._stage, random.Random(self._dice.random()))
            low_s, high_s = kind.lasts_s
            lasts_s = low_s + (high_s - low_s) * self._dice.random() ** 2
            offset_s = self._dice.uniform(0.0, 2.0)
            if claimed & fault.claims:
                put_back.append(kind)
                continue
            claimed |= fault.claims
            if kind.name in self.skipped:
                continue
            lasts_s = max(min(lasts_s, until_s - time.monotonic()), low_s)
            play = self._play(fault, offset_s if tasks else 0.0, lasts_s)
            tasks.append(asyncio.create_task(play))
        await asyncio.gather(*tasks)
        return put_back

    async def _play(self, fault: Fault, offset_s: float, lasts_s: float) -> None:
        await asyncio.sleep(offset_s)
        self._note(fault, "begin", lasts_s=round(lasts_s, 2))
        problems: list[str] = []
        done = False
        try:
            async with asyncio.timeout(fault.deadline_s):
                await fault.begin()
            self.done[fault.name] += 1
            done = True
            await asyncio.sleep(lasts_s)
        except Exception as error:  # noqa: BLE001 - one fault may keep another from happening
            problems.append(repr(error))
            self.failed[fault.name] += 1
        await fault.rested()
        problems += await self._mended(fault)
        self._note(fault, "end", done=done, **({"problems": problems} if problems else {}))

    async def _mended(self, fault: Fault) -> list[str]:
        """What was in the way; after so many tries it is left for the end of the run."""
        problems: list[str] = []
        for _ in range(_MEND_TRIES):
            try:
                await fault.end()
            except Exception as error:  # noqa: BLE001 - another fault may be in the way
                problems.append(repr(error))
            else:
                break
        return problems

    def _note(self, fault: Fault, phase: str, **more: object) -> None:
        self._stage.history.write(
            records.Fault(
                name=fault.name,
                target=fault.target,
                phase="begin" if phase == "begin" else "end",
                detail={**fault.detail, **more},
            )
        )
