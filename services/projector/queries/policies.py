"""The policies of a tenant, and what another one would change."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.projector.domain.facts import Pair
from services.projector.domain.policy_diff import (
    PolicyDiff,
    PolicyMove,
    Relationship,
    policy_diff,
)
from services.projector.queries.many import read_whole
from services.projector.queries.question import PolicyShelf, Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.wide import CHUNK, each_view, read_wide
from services.runtime.policy import AdoptedPolicy, Policy, choose_policy, default_policy


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """A policy of the tenant; `event_id` adopted it, empty for the built-in one at position 0."""

    policy: Policy
    position: int
    event_id: str
    in_force: bool


async def read_policies(
    snapshot: Snapshot, shelf: PolicyShelf, on: int, known_at: int
) -> list[KnownPolicy]:
    """The built-in policy and those adopted and not taken back, by effective day and position.

    As known at a position; one of them is in force on the day.
    """
    adopted = await shelf.adopted(snapshot, known_at)
    events: dict[int, str] = {}
    if adopted:
        for row in await snapshot.fetch("policies", known_at):
            events[row["position"]] = str(row["event_id"])
    everything = sorted(
        [AdoptedPolicy(default_policy(), 0), *adopted],
        key=lambda each: (each.policy.effective_from, each.position),
    )
    chosen = choose_policy(adopted, on)
    # The same document may have been adopted again: then the later adoption holds.
    in_force = max(each.position for each in everything if each.policy == chosen)
    return [
        KnownPolicy(
            policy=each.policy,
            position=each.position,
            event_id=events.get(each.position, ""),
            in_force=each.position == in_force,
        )
        for each in everything
    ]


async def read_policy_diff(
    snapshot: Snapshot, question: Question, other: Policy, person: str | None, limit: int
) -> PolicyDiff:
    """What `other` would change against the policy of the question.

    Of a person's relationships, or (None) all of the tenant; the `limit` that move most. Raises
    LIST_TOO_WIDE beyond 10,000.
    """
    if person is None:
        wide = await read_whole(snapshot, question)
    else:
        wide = await read_wide(snapshot, question, [person])
    total = _Total(question.on, limit)
    some: list[Relationship] = []
    async for view in each_view(snapshot, question, wide, wide.relations):
        some.append(Relationship(view.pair, view.touchpoints))
        if len(some) == CHUNK:
            total.add(policy_diff(some, question.policy, other, question.on, limit))
            some = []
    total.add(policy_diff(some, question.policy, other, question.on, limit))
    return total.diff()


class _Total:
    """Adds up the differences of chunks of relationships: the same as of all at once."""

    def __init__(self, on: int, limit: int) -> None:
        self._on, self._limit = on, limit
        self._moves: Sequence[PolicyMove] = ()
        self._relationships = self._moved = 0

    def add(self, part: PolicyDiff) -> None:
        self._moves = sorted((*self._moves, *part.moves), key=_rank)[: self._limit]
        self._relationships += part.relationships
        self._moved += part.moved

    def diff(self) -> PolicyDiff:
        return PolicyDiff(self._on, tuple(self._moves), self._relationships, self._moved)


def _rank(move: PolicyMove) -> tuple[int, int, Pair]:
    know_mp = move.after.know_mp - move.before.know_mp
    care_mp = move.after.care_mp - move.before.care_mp
    return -abs(move.buffer_mp), -abs(know_mp) - abs(care_mp), move.pair
