"""What another policy would change, on real history. Source: the domain contract, section 4."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from services.projector.domain.apportion import Share, apportion
from services.projector.domain.buckets import Buckets
from services.projector.domain.entries import Entry, fold
from services.projector.domain.facts import Pair, Touchpoint
from services.runtime.policy import Policy


@dataclass(frozen=True, slots=True)
class Stand:
    """KNOW, CARE and buffer under one policy, in mp, each rounded once."""

    know_mp: int
    care_mp: int
    buffer_mp: int


@dataclass(frozen=True, slots=True)
class KindMove:
    """What the entries of one kind change, in mp; the kinds of a move add up to it exactly."""

    kind: str
    know_mp: int
    care_mp: int

    @property
    def sum_mp(self) -> int:
        """The change of KNOW + CARE."""
        return self.know_mp + self.care_mp


@dataclass(frozen=True, slots=True)
class PolicyMove:
    """A relationship under both policies, and the kinds that move it.

    `kinds` have those with an entry under either policy and a change of their own, the largest
    change of KNOW + CARE first (equal: of the accounts apart, then by name). Their sums are the
    differences of the two rounded balances. A buffer may move without them: by its own rule.
    """

    pair: Pair
    before: Stand
    after: Stand
    kinds: tuple[KindMove, ...]

    @property
    def buffer_mp(self) -> int:
        """The change of the buffer."""
        return self.after.buffer_mp - self.before.buffer_mp


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """Who moves, the largest change of the buffer first, at most as many as asked for.

    Equal changes stand by the change of both accounts, then by pair. `moved` of the
    `relationships` looked at move at all.
    """

    on: int
    moves: tuple[PolicyMove, ...]
    relationships: int
    moved: int


class Relationship(NamedTuple):
    """A canonical pair and its effective touchpoints with day <= the one asked, each once."""

    pair: Pair
    touchpoints: Sequence[Touchpoint]


class _Moved(NamedTuple):
    pair: Pair
    before: Stand
    after: Stand
    entries_before: tuple[Entry, ...]
    entries_after: tuple[Entry, ...]

    @property
    def rank(self) -> tuple[int, int, Pair]:
        know_mp = self.after.know_mp - self.before.know_mp
        care_mp = self.after.care_mp - self.before.care_mp
        buffer_mp = self.after.buffer_mp - self.before.buffer_mp
        return -abs(buffer_mp), -abs(know_mp) - abs(care_mp), self.pair


def policy_diff(
    relationships: Iterable[Relationship], before: Policy, after: Policy, on: int, limit: int
) -> PolicyDiff:
    """What `after` would change against `before` on a day.

    Each relationship once, in any order; they are looked at one by one and only the `limit` (at
    least 0) that move most are kept.
    """
    looked_at = moved = 0

    def those_that_move() -> Iterable[_Moved]:
        nonlocal looked_at, moved
        for relationship in relationships:
            looked_at += 1
            found = _moved(relationship, before, after, on)
            if found.before != found.after:
                moved += 1
                yield found

    most = nsmallest(limit, those_that_move(), key=lambda found: found.rank)
    moves = tuple(
        PolicyMove(found.pair, found.before, found.after, _kinds(found, on)) for found in most
    )
    return PolicyDiff(on, moves, looked_at, moved)


def _moved(relationship: Relationship, before: Policy, after: Policy, on: int) -> _Moved:
    old = fold(relationship.touchpoints, before, on).entries
    new = fold(relationship.touchpoints, after, on).entries
    return _Moved(relationship.pair, _stand(old, before, on), _stand(new, after, on), old, new)


def _stand(entries: Sequence[Entry], policy: Policy, on: int) -> Stand:
    balance = Buckets(entries).balance(on)
    return Stand(balance.know_mp, balance.care_mp, balance.buffer_mp(policy))


def _kinds(found: _Moved, on: int) -> tuple[KindMove, ...]:
    """Each kind's exact change, floored and topped up like the lines of a receipt."""
    old, new = _by_kind(found.entries_before), _by_kind(found.entries_after)
    kinds = sorted(old.keys() | new.keys())
    know: list[Share] = []
    care: list[Share] = []
    for kind in kinds:
        first = old.get(kind, Buckets()).balance(on)
        second = new.get(kind, Buckets()).balance(on)
        know_change, care_change = second.know - first.know, second.care - first.care
        know.append(Share(know_change.numerator, know_change.denominator, kind))
        care.append(Share(care_change.numerator, care_change.denominator, kind))
    know_mp = apportion(know, found.after.know_mp - found.before.know_mp)
    care_mp = apportion(care, found.after.care_mp - found.before.care_mp)
    moves = [KindMove(*move) for move in zip(kinds, know_mp, care_mp, strict=True)]
    moves.sort(key=lambda m: (-abs(m.sum_mp), -abs(m.know_mp) - abs(m.care_mp), m.kind))
    return tuple(move for move in moves if move.know_mp or move.care_mp)


def _by_kind(entries: Iterable[Entry]) -> dict[str, Buckets]:
    by_kind: dict[str, Buckets] = {}
    for entry in entries:
        by_kind.setdefault(entry.touchpoint.kind, Buckets()).add(entry)
    return by_kind
