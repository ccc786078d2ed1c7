"""Touchpoints as they stand, balances and standings with the pure fold of what was recorded.

Goes through a tenant pair by pair, in the order of the tables' own indexes: what is in memory at
once is some hundred relationships, and the humans with several ids.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from services.operator.doctor.facts import rows_of
from services.operator.doctor.journal import SQL
from services.operator.doctor.pair_rows import PairRows, pair_of_row
from services.operator.doctor.report import Check, Difference, Fact
from services.operator.doctor.rolling import RollingHash
from services.operator.doctor.terms import Terms
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.contact import contact_days
from services.projector.domain.effective import effective
from services.projector.domain.entries import fold
from services.projector.domain.facts import Correction, Pair, Touchpoint, Void
from services.projector.facts import (
    canonical_id,
    correction_from,
    initiative_number,
    touchpoint_from,
)
from services.projector.stored import text_from_buckets, through_day_of
from services.runtime.policy import Policy

CHUNK_TOUCHPOINTS: Final = 2_000
_EFFECTIVE, _CORRECTED, _VOIDED = 1, 2, 3
_STANDING_COLUMNS: Final = (
    "day",
    "policy_hash",
    "know_mp",
    "care_mp",
    "buffer_mp",
    "contact_days",
    "first_contact_day",
    "last_contact_day",
)
_NOW_COLUMNS: Final = (
    "state",
    "now_occurred_at_us",
    "now_initiator",
    "now_kind",
    "now_channel",
    "now_initiative",
    "now_resolves",
    "corrected_by",
    "voided_by",
    "now_occasion",
)


@dataclass(slots=True)
class PairHistory:
    """One raw pair: its rows, and what amends them."""

    pair: Pair
    rows: list[Any] = field(default_factory=list)
    amendments: list[Correction | Void] = field(default_factory=list)

    def originals(self) -> list[Touchpoint]:
        """The touchpoints as recorded."""
        return [
            touchpoint_from(
                row["payload"],
                event_id=row["event_id"],
                position=row["position"],
                occurred_at_us=row["occurred_at_us"],
            )
            for row in self.rows
        ]


@dataclass(slots=True)
class Sum:
    """What the raw pairs of a canonical pair add up to on the tenant's day."""

    balance: Balance = field(default_factory=Balance)
    days: set[int] = field(default_factory=set)

    def row(self, terms: Terms) -> tuple[Fact, ...]:
        """The standing, as _STANDING_COLUMNS."""
        days = sorted(day for day in self.days if day <= terms.day)
        return (
            terms.day,
            terms.policy.hash,
            self.balance.know_mp,
            self.balance.care_mp,
            self.balance.buffer_mp(terms.policy),
            len(days),
            days[0] if days else None,
            days[-1] if days else None,
        )


class Balances:
    """The comparison of one tenant; `run` ends at its first difference."""

    def __init__(self, conn: asyncpg.Connection, journal: str, terms: Terms, check: Check) -> None:
        self._conn, self._journal, self._terms, self._check = conn, journal, terms, check
        self._balances = PairRows(rows_of(conn, "balances_of_tenant", journal, terms.tenant))
        self._standings = PairRows(rows_of(conn, "standings_of_tenant", journal, terms.tenant))
        self._merged: dict[Pair, Sum] = {}
        self._merged_rows: dict[Pair, Any] = {}
        self.rolling: Final = RollingHash()
        self.touchpoints = 0
        self.stale = 0

    async def run(self) -> None:
        """Compare every pair. The connection is in the transaction of one snapshot."""
        async for history in self._histories():
            await self._compare(history)
            if self._check.difference is not None:
                return
        if (row := await self._balances.beyond(None)) is not None:
            self._differ(pair_of_row(row), "balances has a pair that nothing was recorded of")
            return
        if (row := await self._next_plain_standing(None)) is not None:
            self._differ(pair_of_row(row), "standings has a pair that nothing was recorded of")
            return
        self._compare_merged()

    async def _histories(self) -> AsyncIterator[PairHistory]:
        """Every pair with its amendments; CHUNK_TOUCHPOINTS rows and one pair at a time."""
        chunk: list[PairHistory] = []
        size = 0
        async for row in rows_of(
            self._conn, "touchpoints_by_pair", self._journal, self._terms.tenant
        ):
            pair = row["a"], row["b"]
            if not chunk or chunk[-1].pair != pair:
                if size >= CHUNK_TOUCHPOINTS:
                    for history in await self._amended(chunk):
                        yield history
                    chunk, size = [], 0
                chunk.append(PairHistory(pair))
            chunk[-1].rows.append(row)
            size += 1
        for history in await self._amended(chunk):
            yield history

    async def _amended(self, chunk: list[PairHistory]) -> list[PairHistory]:
        history_of = {row["event_id"]: history for history in chunk for row in history.rows}
        found = await self._conn.fetch(
            SQL["amendments_of_touchpoints"], self._journal, self._terms.tenant, list(history_of)
        )
        for row in found:
            event_id, position = row["event_id"], row["position"]
            amendment: Correction | Void
            if row["role"] == "V":
                amendment = Void(event_id=event_id, position=position, target=row["target"])
            else:
                amendment = correction_from(row["payload"], event_id=event_id, position=position)
            history_of[row["about"]].amendments.append(amendment)
        return chunk

    async def _compare(self, history: PairHistory) -> None:
        originals = history.originals()
        counting = effective([*originals, *history.amendments]).touchpoints
        self.touchpoints += len(originals)
        self._compare_now(history, originals, counting)
        row = await self._balances.at(history.pair)
        extra = await self._balances.skipped()
        if extra is not None:
            self._differ(pair_of_row(extra), "balances has a pair that nothing was recorded of")
            return
        if row is None:
            self._differ(history.pair, "balances lacks the pair")
            return
        policy = self._terms.policies.get(row["policy_hash"])
        if policy is None or (self._terms.built and policy != self._terms.policy):
            what, found = "the balance is of another policy", row["policy_hash"]
            self._differ(history.pair, what, self._terms.policy.hash, found)
            return
        self._compare_balance(history.pair, row, counting, policy)
        await self._compare_standing(history.pair, counting)

    def _compare_now(
        self,
        history: PairHistory,
        originals: list[Touchpoint],
        counting: tuple[Touchpoint, ...],
    ) -> None:
        standing = {touchpoint.event_id: touchpoint for touchpoint in counting}
        voids = [item for item in history.amendments if isinstance(item, Void)]
        voids.sort(key=lambda void: void.position, reverse=True)
        first_void = {void.target: void.event_id for void in voids}
        for original, row in zip(originals, history.rows, strict=True):
            now = standing.get(original.event_id)
            expected = _now(original, now, first_void.get(original.event_id))
            found = tuple(row[name] for name in _NOW_COLUMNS)
            self.rolling.add(row["position"], *map(_text, found))
            for name, here, there in zip(_NOW_COLUMNS, expected, found, strict=True):
                if here != there:
                    what = f"touchpoints.{name} is not how the touchpoint stands"
                    where = f"tenant {self._terms.tenant}, event {original.event_id}"
                    self._check.differ(Difference(what, original.position, where, here, there))

    def _compare_balance(
        self, pair: Pair, row: Any, counting: tuple[Touchpoint, ...], policy: Policy
    ) -> None:
        buckets = Buckets(fold(counting, policy).entries)
        expected: tuple[Fact, ...] = (
            text_from_buckets(buckets),
            through_day_of(buckets),
            _days(contact_days(counting, policy)),
        )
        found = (row["buckets"], row["through_day"], _days(row["contact_days"]))
        self.rolling.add(*pair, *found)
        for name, here, there in zip(
            ("buckets", "through_day", "contact_days"), expected, found, strict=True
        ):
            if here != there:
                self._differ(pair, f"balances.{name} is not what the fold gives", here, there)

    async def _compare_standing(self, pair: Pair, counting: tuple[Touchpoint, ...]) -> None:
        terms = self._terms
        canonical = terms.people.canonical_pair(pair)
        if canonical is None:
            return  # one human: nothing is posted
        plain = canonical == pair and not self._is_linked(pair)
        if self._check.difference is not None:
            return
        total = self._merged.setdefault(canonical, Sum()) if not plain else Sum()
        buckets = Buckets(fold(counting, terms.policy, terms.day).entries)
        total.balance += buckets.balance(terms.day)
        total.days.update(contact_days(counting, terms.policy))
        if not plain:
            return
        row = await self._next_plain_standing(pair)
        if row is not None and pair_of_row(row) != pair:
            self._differ(pair_of_row(row), "standings has a pair that nothing was recorded of")
        elif row is None:
            self._differ(pair, "standings lacks the pair")
        else:
            self._compare_row(pair, total, row)

    def _compare_merged(self) -> None:
        for pair in sorted(self._merged.keys() | self._merged_rows.keys()):
            total, row = self._merged.get(pair), self._merged_rows.get(pair)
            if total is None:
                self._differ(pair, "standings has a pair that nothing was recorded of")
            elif row is None:
                self._differ(pair, "standings lacks the pair")
            else:
                self._compare_row(pair, total, row)

    def _compare_row(self, pair: Pair, total: Sum, row: Any) -> None:
        if not self._terms.built and (row["day"], row["policy_hash"]) != (
            self._terms.day,
            self._terms.policy.hash,
        ):
            self.stale += 1
            return
        found = tuple(row[name] for name in _STANDING_COLUMNS)
        self.rolling.add(*pair, *map(_text, found))
        for name, here, there in zip(_STANDING_COLUMNS, total.row(self._terms), found, strict=True):
            if here != there:
                self._differ(pair, f"standings.{name} is not what the fold gives", here, there)

    async def _next_plain_standing(self, pair: Pair | None) -> Any | None:
        """The next standing of people with one id each, up to `pair`; others are put aside."""
        while (row := await self._standings.beyond(pair)) is not None:
            if not self._is_linked(pair_of_row(row)):
                return row
            self._merged_rows[pair_of_row(row)] = row
        return None

    def _is_linked(self, pair: Pair) -> bool:
        linked = self._terms.people.canonical_of
        return pair[0] in linked or pair[1] in linked

    def _differ(self, pair: Pair, what: str, expected: Fact = None, found: Fact = None) -> None:
        where = f"tenant {self._terms.tenant}, {pair[0]} ~ {pair[1]}"
        self._check.differ(Difference(what, None, where, expected, found))


def _now(original: Touchpoint, now: Touchpoint | None, first_void: str | None) -> tuple[Fact, ...]:
    """How a touchpoint stands, as _NOW_COLUMNS; a voided one shows what was recorded."""
    shown = original if now is None else now
    state = _VOIDED if now is None else _CORRECTED if now.corrected_by else _EFFECTIVE
    return (
        state,
        shown.instant_us,
        shown.initiator,
        shown.kind,
        shown.channel,
        initiative_number(shown.initiative),
        shown.resolves or None,
        shown.corrected_by or None,
        first_void,
        canonical_id(shown.occasion_id),
    )


def _days(days: Any) -> str:
    return " ".join(map(str, days))


def _text(value: object) -> str | int | None:
    return value if value is None or isinstance(value, int) else str(value)
