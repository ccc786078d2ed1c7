"""Group commit without a database: who goes into which group, and who hears what."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.ledger.domain.events import Batch
from services.ledger.journal.admission import Admission, InFlightLimits
from services.ledger.journal.group import GroupCommit, Pending
from services.ledger.journal.outcomes import Busy, DeadlinePassed, Unavailable
from tests.support.batches import VOIDED, batch, event_id, record


@dataclass
class Groups:
    """A commit function that records its groups and waits until it may go on."""

    groups: list[list[Batch]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    left: list[Batch] = field(default_factory=list)
    answer: Callable[[Sequence[Batch]], Sequence[Any]] = lambda batches: [
        b.records[0].event_id for b in batches
    ]

    async def commit(self, batches: Sequence[Batch]) -> Sequence[Any]:
        self.groups.append(list(batches))
        await self.gate.wait()
        return self.answer(batches)

    def leave(self, pending: Pending[Any]) -> None:
        self.left.append(pending.batch)

    def ids(self) -> list[list[str]]:
        return [[b.records[0].event_id for b in group] for group in self.groups]


def submit(commits: GroupCommit[Any], *batches: Batch) -> list[Pending[Any]]:
    loop = asyncio.get_running_loop()
    pending = [Pending(b, loop.create_future(), b.payload_bytes) for b in batches]
    for one in pending:
        commits.submit(one)
    return pending


async def answers(pending: Sequence[Pending[Any]]) -> list[Any]:
    return await asyncio.gather(*(one.verdict for one in pending), return_exceptions=True)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_whatever_waits_when_a_commit_ends_goes_into_the_next_one() -> None:
    groups = Groups()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    pending = submit(commits, batch(record(1)))
    await turns()
    pending += submit(commits, *(batch(record(n)) for n in (2, 3, 4)))
    await turns()
    assert len(groups.groups) == 1
    groups.gate.set()
    assert await answers(pending) == [event_id(n) for n in (1, 2, 3, 4)]
    assert groups.ids() == [[event_id(1)], [event_id(2), event_id(3), event_id(4)]]
    assert len(groups.left) == 4


async def test_who_comes_while_a_group_gathers_is_taken_along() -> None:
    groups = Groups()
    groups.gate.set()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    pending = submit(commits, batch(record(1)))
    for number in (2, 3):
        await turns(2)
        pending += submit(commits, batch(record(number)))
    await answers(pending)
    assert groups.ids() == [[event_id(1), event_id(2), event_id(3)]]


async def test_a_group_does_not_gather_for_ever() -> None:
    groups = Groups()
    groups.gate.set()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave, events_max=10**9)
    (first,) = submit(commits, batch(record(0)))
    number = 0
    while not first.verdict.done():  # one more in every round of the loop
        number += 1
        submit(commits, batch(record(number)))
        await turns(1)
    assert number > 10


@pytest.mark.parametrize("limits", [{"events_max": 4}, {"bytes_max": 40}], ids=["events", "bytes"])
async def test_a_group_is_bounded_but_takes_one_batch_of_any_size(limits: dict[str, int]) -> None:
    groups = Groups()
    groups.gate.set()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave, **limits)
    large = batch(*(record(10 + n) for n in range(6)))
    pending = submit(
        commits,
        batch(record(1), record(2)),
        batch(record(3), record(4)),
        batch(record(5)),
        large,
        batch(record(20)),
    )
    await answers(pending)
    assert [len(group) for group in groups.groups] == [2, 1, 1, 1]


@pytest.mark.parametrize(
    "second",
    [
        batch(record(1)),
        batch(record(2, expected_revision=1)),
        batch(record(2, type=VOIDED), unknown_targets=frozenset({event_id(1)})),
    ],
    ids=["shared event id", "expected revision of a touched home", "target in the group"],
)
async def test_a_batch_whose_verdict_depends_on_the_group_waits_and_so_do_those_behind_it(
    second: Batch,
) -> None:
    groups = Groups()
    groups.gate.set()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    first, third = batch(record(1)), batch(record(3, home="people/zoe"))
    elsewhere = batch(record(1), tenant="other")
    await answers(submit(commits, first, second, third, elsewhere))
    assert groups.groups == [[first, elsewhere], [second, third]]


async def test_touching_a_home_after_somebody_who_expects_a_revision_needs_no_wait() -> None:
    groups = Groups()
    groups.gate.set()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    await answers(submit(commits, batch(record(1, expected_revision=0)), batch(record(2))))
    assert len(groups.groups) == 1


async def test_callers_gone_or_late_before_their_group_starts_are_dropped() -> None:
    groups = Groups()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    pending = submit(commits, *(batch(record(n)) for n in range(1)))
    await turns()
    gone, late, stays = submit(commits, *(batch(record(n)) for n in (1, 2, 3)))
    gone.verdict.cancel()
    late.expire()
    pending[0].expire()  # under way: it is waited for
    groups.gate.set()
    assert await answers([*pending, stays]) == [event_id(0), event_id(3)]
    with pytest.raises(DeadlinePassed):
        await late.verdict
    assert groups.ids() == [[event_id(0)], [event_id(3)]]
    assert len(groups.left) == 4


async def test_a_caller_that_leaves_while_its_group_is_under_way_disturbs_nobody() -> None:
    groups = Groups()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    leaves, stays = submit(commits, batch(record(1)), batch(record(2)))
    await turns()
    leaves.verdict.cancel()
    groups.gate.set()
    assert await stays.verdict == event_id(2)
    assert len(groups.left) == 2


async def test_each_caller_gets_its_own_verdict_and_all_get_what_the_commit_raised() -> None:
    refusal = Busy("no", retry_after_ms=1)
    groups = Groups(answer=lambda batches: [refusal if b.verified else "yes" for b in batches])
    groups.gate.set()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    pending = submit(commits, batch(record(1)), batch(record(2), verified=True), batch(record(3)))
    assert await answers(pending) == ["yes", refusal, "yes"]

    def broken(_: Sequence[Batch]) -> Sequence[Any]:
        raise RuntimeError("a bug")

    groups.answer = broken
    found = await answers(submit(commits, batch(record(4)), batch(record(5))))
    assert [type(answer) for answer in found] == [RuntimeError] * 2
    groups.answer = lambda batches: ["yes"] * len(batches)
    assert await answers(submit(commits, batch(record(6)))) == ["yes"]


async def test_closing_refuses_what_waits_and_lets_the_group_under_way_end() -> None:
    groups = Groups()
    commits: GroupCommit[Any] = GroupCommit(groups.commit, groups.leave)
    under_way = submit(commits, batch(record(1)))
    await turns()
    waiting = submit(commits, batch(record(2)))
    closing = asyncio.create_task(commits.close())
    await turns()
    late = submit(commits, batch(record(3)))
    groups.gate.set()
    await closing
    found = await answers([*under_way, *waiting, *late])
    assert [type(answer) for answer in found] == [str, Unavailable, Unavailable]
    assert len(groups.left) == 3


def test_what_is_in_flight_is_bounded_in_all_and_for_each_tenant() -> None:
    limits = InFlightLimits(
        events_max=10, bytes_max=100, events_per_tenant_max=6, bytes_per_tenant_max=60
    )
    admission = Admission(limits)
    admission.enter("a", 6, 30)
    with pytest.raises(Busy, match="tenant"):
        admission.enter("a", 1, 1)
    with pytest.raises(Busy, match="too much"):
        admission.enter("b", 5, 1)
    admission.enter("b", 4, 30)
    with pytest.raises(Busy, match="tenant"):
        admission.enter("c", 0, 61)
    with pytest.raises(Busy, match="too much"):
        admission.enter("c", 0, 50)
    admission.leave("a", 6, 30)
    admission.enter("a", 6, 60)
    assert admission.events == 10
