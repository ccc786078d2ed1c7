"""A tenant's read models as the pure domain makes them of a journal, position by position.

tests/support/views_oracle.py says the same in one go; here only what an event can change is
computed again, so that a run's hundred thousand answers are checked in seconds. A test compares
both on random journals.
"""

from base64 import b64decode
from bisect import bisect_left, insort
from collections.abc import Iterable
from heapq import nlargest
from typing import Final

from services.projector import facts
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.effective import effective
from services.projector.domain.entries import Entry, fold
from services.projector.domain.facts import Fact, Pair, Touchpoint, Void, pair_of
from services.projector.domain.identity import NO_LINKS, Identities
from services.projector.domain.saturation import cell_of
from services.projector.domain.weights import weigher_of
from services.projector.facts import Delivered, UnreadableFact
from services.runtime.policy import INCIDENT, RECOVERY, Policy
from tests.faults.torture.records import JournalRow
from tests.support import views_oracle

type Line = tuple[int, str]
type Amounts = tuple[int, int, int]

_EFFECTIVE: Final = 1
_CORRECTED: Final = 2
_VOIDED: Final = 3
_OF_PEOPLE: Final = frozenset(
    {facts.IDENTITY_LINKED, facts.IDENTITY_UNLINKED, facts.PARTY_DESCRIBED}
)


class TenantFold:
    """What the views of a tenant must hold after the events told so far, in journal order."""

    def __init__(self) -> None:
        self._pairs: dict[Pair, _PairFold] = {}
        self._touchpoints: dict[str, Touchpoint] = {}
        self._amendments: dict[str, list[Fact]] = {}
        self._voids_of: dict[str, list[Void]] = {}
        self._original_of: dict[str, str] = {}
        self._voids: list[Delivered] = []
        self._of_people: list[Delivered] = []
        self._policies: list[Delivered] = []
        self._linked = False
        self._people: Identities | None = NO_LINKS
        self._policy_of: dict[int, Policy] = {}

    def tell(self, row: JournalRow) -> None:
        """The next event. What nobody can read is left out, as a projector parks it."""
        if row.payload_b64 is None:
            return
        event = _delivered(row, b64decode(row.payload_b64))
        try:
            self._tell(event)
        except UnreadableFact:
            return

    def balance(self, a: str, b: str, on: int) -> Amounts:
        """Know, care and buffer of a relationship on a day, in mp, under that day's policy."""
        policy = self._policy_on(on)
        total = Balance()
        for pair in self._humans().raw_pairs(a, b):
            if pair in self._pairs:
                total = total + self._pairs[pair].balance(policy, on)
        return total.know_mp, total.care_mp, total.buffer_mp(policy)

    def timeline(self, a: str, b: str, limit: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Ids and states of the first page of a relationship, newest first, voided ones too."""
        pairs = self._humans().raw_pairs(a, b)
        found = [self._pairs[pair] for pair in pairs if pair in self._pairs]
        lines = nlargest(limit, (line for each in found for line in each.lines[-limit:]))
        states = {name: each.state_of(name) for each in found for _, name in each.lines[-limit:]}
        return tuple(name for _, name in lines), tuple(states[name] for _, name in lines)

    def relationships(self) -> set[Pair]:
        """The canonical pairs with any touchpoint."""
        humans = self._humans()
        found = (humans.canonical_pair(pair) for pair in self._pairs)
        return {pair for pair in found if pair is not None}

    def standings(self, on: int) -> list[tuple[int, str, str]]:
        """Buffer and people of every relationship on a day, the highest first, then by people."""
        found = ((self.balance(a, b, on)[2], a, b) for a, b in self.relationships())
        return sorted(found, reverse=True)

    def canonical(self, a: str, b: str) -> Pair:
        """The relationship that two ids stand for."""
        return self._humans().canonical_pair((a, b)) or pair_of(a, b)

    def _tell(self, event: Delivered) -> None:
        match event.type:
            case facts.TOUCHPOINT:
                self._touch(event)
            case facts.CORRECTED:
                self._correct(event)
            case facts.VOIDED:
                self._void(event)
            case facts.POLICY_ADOPTED:
                self._policies.append(event)
                self._policy_of.clear()
            case kind if kind in _OF_PEOPLE:
                self._of_people.append(event)
                self._linked = self._linked or kind == facts.IDENTITY_LINKED
                self._people = None

    def _touch(self, event: Delivered) -> None:
        touchpoint = facts.touchpoint_from(
            event.payload,
            event_id=event.event_id,
            position=event.position,
            occurred_at_us=event.occurred_at_us,
        )
        self._touchpoints[event.event_id] = touchpoint
        self._pairs.setdefault(touchpoint.pair, _PairFold())
        self._restate(event.event_id)

    def _correct(self, event: Delivered) -> None:
        correction = facts.correction_from(
            event.payload, event_id=event.event_id, position=event.position
        )
        self._original_of[event.event_id] = correction.replaces
        known = self._amendments.setdefault(correction.replaces, [])
        known.append(correction)
        known.extend(self._voids_of.get(event.event_id, ()))
        self._restate(correction.replaces)

    def _void(self, event: Delivered) -> None:
        void = facts.void_from(event.payload, event_id=event.event_id, position=event.position)
        self._voids.append(event)
        self._voids_of.setdefault(void.target, []).append(void)
        original = self._original_of.get(void.target)
        if original is not None:
            self._amendments[original].append(void)
            self._restate(original)
        elif void.target in self._touchpoints:
            self._restate(void.target)
        else:
            self._people = None
            self._policy_of.clear()

    def _restate(self, name: str) -> None:
        original = self._touchpoints.get(name)
        if original is None:
            return
        known = [original, *self._amendments.get(name, ()), *self._voids_of.get(name, ())]
        found = effective(known).touchpoints
        self._pairs[original.pair].put(original, found[0] if found else None)

    def _humans(self) -> Identities:
        if self._people is None:
            told = [*self._of_people, *self._voids]
            self._people = views_oracle.humans(told) if self._linked else NO_LINKS
        return self._people

    def _policy_on(self, day: int) -> Policy:
        found = self._policy_of.get(day)
        if found is None:
            told = [*self._policies, *self._voids] if self._policies else []
            found = self._policy_of[day] = views_oracle.policy_on(told, day)
        return found


class _PairFold:
    """A raw pair: its lines in ascending order of occurrence, and what it posts by policy."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._state: dict[str, tuple[Line, Touchpoint | None]] = {}
        self._posted: dict[Policy, _Posted] = {}
        self._asked: dict[tuple[Policy, int], Balance] = {}

    def put(self, original: Touchpoint, standing: Touchpoint | None) -> None:
        """A touchpoint as it stands now; None: voided, and shown as it was recorded."""
        name = original.event_id
        line, before = self._state.pop(name, (None, None))
        if line is not None:
            del self.lines[bisect_left(self.lines, line)]
        line = (standing or original).order
        insort(self.lines, line)
        self._state[name] = line, standing
        self._asked.clear()
        for posted in self._posted.values():
            posted.change(before, standing)

    def state_of(self, name: str) -> int:
        """A number of rapport.v1.LineState."""
        standing = self._state[name][1]
        if standing is None:
            return _VOIDED
        return _CORRECTED if standing.corrected_by else _EFFECTIVE

    def balance(self, policy: Policy, on: int) -> Balance:
        """The exact balance on a day under a policy."""
        found = self._asked.get((policy, on))
        if found is None:
            found = self._asked[policy, on] = self._balance(policy, on)
        return found

    def _balance(self, policy: Policy, on: int) -> Balance:
        posted = self._posted.get(policy)
        if posted is None:
            posted = self._posted[policy] = _Posted(policy, self._standing())
        buckets = posted.settled()
        if buckets.through_day is None or on >= buckets.through_day:
            return buckets.balance(on)
        return Buckets(fold(self._standing(), policy, on).entries).balance(on)

    def _standing(self) -> list[Touchpoint]:
        return [standing for _, standing in self._state.values() if standing is not None]


class _Posted:
    """Sums of a pair under one policy; folds again only those that share a rule with a change.

    Saturation reaches as far as a cell, refunds as far as the pair's incidents and recoveries.
    """

    def __init__(self, policy: Policy, touchpoints: Iterable[Touchpoint]) -> None:
        self._policy = policy
        self._weigher = weigher_of(policy)
        self._parts: dict[object, dict[str, Touchpoint]] = {}
        self._entries: dict[object, tuple[Entry, ...]] = {}
        self._changed: set[object] = set()
        self._buckets = Buckets()
        for touchpoint in touchpoints:
            self.change(None, touchpoint)

    def change(self, before: Touchpoint | None, after: Touchpoint | None) -> None:
        """One touchpoint stands otherwise."""
        if before is not None:
            key = self._key(before)
            del self._parts[key][before.event_id]
            self._changed.add(key)
        if after is not None:
            key = self._key(after)
            self._parts.setdefault(key, {})[after.event_id] = after
            self._changed.add(key)

    def settled(self) -> Buckets:
        """The sums with every change in them."""
        for key in self._changed:
            for entry in self._entries.pop(key, ()):
                self._buckets.subtract(entry)
            part = self._parts[key]
            if not part:
                del self._parts[key]
                continue
            entries = self._entries[key] = fold(part.values(), self._policy).entries
            for entry in entries:
                self._buckets.add(entry)
        self._changed.clear()
        return self._buckets

    def _key(self, touchpoint: Touchpoint) -> object:
        if touchpoint.kind in (INCIDENT, RECOVERY):
            return INCIDENT
        weight = self._weigher.weigh(touchpoint)
        if weight is None or not weight.group:
            return touchpoint.event_id
        return cell_of(touchpoint, weight, touchpoint.day)


def _delivered(row: JournalRow, payload: bytes) -> Delivered:
    return Delivered(
        journal=row.journal,
        incarnation="",
        position=row.position,
        tenant=row.tenant,
        event_id=row.event_id,
        type=row.event_type,
        home=row.home,
        revision=row.revision,
        kind="",
        occurred_at_us=row.occurred_at_us,
        recorded_at_us=row.recorded_at_us,
        recorded_by="",
        schema_version=1,
        payload=payload,
    )
