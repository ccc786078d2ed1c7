"""Replicas that share journals: nobody left to nobody, nobody with more than a fair share."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.projector.intake.leases import Leases, fair_share, lease_of
from services.projector.metrics import ProjectorMetrics


class Server:
    """Locks as PostgreSQL keeps them, for any number of connections."""

    def __init__(self) -> None:
        self.members: set[Connection] = set()
        self.holders: dict[str, Connection] = {}

    def connect(self) -> "Connection":
        made = Connection(self)
        self.members.add(made)
        return made


class Connection:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def members(self) -> int:
        return len(self._server.members)

    async def take(self, names: Sequence[str], most: int) -> list[str]:
        free = [name for name in names if name not in self._server.holders][:most]
        self._server.holders |= dict.fromkeys(free, self)
        return free

    async def let_go(self, name: str) -> None:
        assert self._server.holders.pop(name) is self

    def end(self) -> None:
        self._server.members.discard(self)
        for name in [name for name, held in self._server.holders.items() if held is self]:
            del self._server.holders[name]


class Replica:
    """Leases on a connection, and what they told to begin and to end."""

    def __init__(self, server: Server, journals: list[str]) -> None:
        self.locks = server.connect()
        self.follows: list[str] = []
        self.metrics = ProjectorMetrics(CollectorRegistry())
        self.leases = Leases(
            "", self.metrics, known=lambda: journals, take=self.take, give_up=self.give_up
        )

    def take(self, journal: str) -> None:
        assert journal not in self.follows
        self.follows.append(journal)

    async def give_up(self, journal: str) -> None:
        self.follows.remove(journal)

    async def look(self) -> None:
        await self.leases.look(self.locks)


def journals_of(count: int) -> list[str]:
    return [f"j{number}" for number in range(count)]


async def look_around(replicas: Sequence[Replica], times: int = 2) -> None:
    for _ in range(times):
        for replica in replicas:
            await replica.look()


@pytest.mark.parametrize(
    ("journals", "replicas", "share"),
    [(6, 1, 6), (6, 2, 3), (6, 3, 2), (7, 3, 3), (1, 2, 1), (0, 2, 0), (3, 0, 3)],
)
def test_a_fair_share_is_rounded_up(journals: int, replicas: int, share: int) -> None:
    assert fair_share(journals, replicas) == share


async def test_a_replica_alone_follows_everything() -> None:
    only = Replica(Server(), journals_of(6))
    await only.look()
    assert sorted(only.follows) == journals_of(6)


async def test_one_that_joins_is_given_its_share_and_keeps_nobody_waiting() -> None:
    server, journals = Server(), journals_of(6)
    first = Replica(server, journals)
    await first.look()
    kept = first.follows[:3]
    second = Replica(server, journals)
    await look_around([second, first, second], 1)
    assert first.follows == kept
    assert sorted(first.follows + second.follows) == journals
    third = Replica(server, journals)
    await look_around([third, first, second, third], 1)
    assert [len(each.follows) for each in (first, second, third)] == [2, 2, 2]


async def test_what_a_dead_one_held_is_taken_by_the_others() -> None:
    server, journals = Server(), journals_of(6)
    replicas = [Replica(server, journals) for _ in range(2)]
    await look_around(replicas)
    replicas[0].locks.end()
    await replicas[1].look()
    assert sorted(replicas[1].follows) == journals


async def test_a_journal_is_let_go_of_only_when_nothing_of_it_goes_on() -> None:
    server, journals = Server(), journals_of(2)
    first = Replica(server, journals)
    await first.look()
    ended = asyncio.Event()

    async def slowly(journal: str) -> None:
        await ended.wait()
        first.follows.remove(journal)

    first.leases._give_up = slowly
    second = Replica(server, journals)
    letting_go = asyncio.ensure_future(first.look())
    for _ in range(10):
        await second.look()
    assert not second.follows
    ended.set()
    await letting_go
    await second.look()
    assert sorted(first.follows + second.follows) == journals


async def test_a_replica_that_does_not_follow_says_nothing_of_lag() -> None:
    registry = CollectorRegistry()
    metrics = ProjectorMetrics(registry)
    metrics.holds("main", True)
    metrics.at("main", 5, 0)
    metrics.lag("main", 7, 1)
    metrics.state("main", "following-nats")
    metrics.holds("main", False)
    assert registry.get_sample_value("rapport_projector_holds_journal", {"journal": "main"}) == 0
    for name in ("position", "lag_positions", "parked_events"):
        assert registry.get_sample_value(f"rapport_projector_{name}", {"journal": "main"}) is None


@given(st.integers(0, 20), st.lists(st.integers(0, 5), max_size=30))
def test_however_replicas_come_and_go_every_journal_is_followed_once(
    count: int, changes: list[int]
) -> None:
    asyncio.run(_come_and_go(count, changes))


async def _come_and_go(count: int, changes: list[int]) -> None:
    server, journals = Server(), journals_of(count)
    replicas = [Replica(server, journals)]
    for change in changes:
        if change < 2 and len(replicas) > 1:
            replicas.pop(change % len(replicas)).locks.end()
        elif change < 4:
            replicas.append(Replica(server, journals))
        else:
            await replicas[change % len(replicas)].look()
        followed = [journal for each in replicas for journal in each.follows]
        assert len(followed) == len(set(followed))
    await look_around(replicas)
    assert sorted(j for each in replicas for j in each.follows) == sorted(journals)
    most = fair_share(count, len(replicas))
    assert all(len(each.follows) <= most for each in replicas)
    assert set(server.holders) == {lease_of(journal) for journal in journals}
