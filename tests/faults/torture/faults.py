"""What a fault is, and the faults of processes: killed, frozen, replaced."""

import asyncio
import random
import signal
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, Final

from deploy.local.nats import NatsServer
from deploy.local.process import ProcessIdentity, identity_of, send_signal
from tests.faults.cluster import Replica
from tests.faults.torture.stage import Stage

# How long a process stands still, in seconds.
FROZEN_S: Final = (5.0, 30.0)
_BACKENDS: Final = """
SELECT pid FROM pg_catalog.pg_stat_activity
 WHERE datname = current_database() AND application_name LIKE 'rapport-%' ORDER BY backend_start
"""
_OWN_PROCESSES: Final = ("checkpointer", "walwriter", "background writer", "io worker")
_OWN: Final = """
SELECT pid FROM pg_catalog.pg_stat_activity
 WHERE backend_type = ANY ($1) AND ($2 = 'all' OR backend_type = $2)
"""


class Fault(ABC):
    """Something broken on purpose, and mended again. Dice say whom it befalls.

    `lasts_s`: between which limits it lasts. `deadline_s`: how long it may take to begin.
    `claims`: what it needs to itself.
    """

    name: ClassVar[str]
    lasts_s: ClassVar[tuple[float, float]] = (1.0, 8.0)
    deadline_s: ClassVar[float] = 60.0

    def __init__(self, stage: Stage, dice: random.Random) -> None:
        self.stage, self.dice = stage, dice
        self._working: set[asyncio.Future[Any]] = set()
        self.target = ""
        self.detail: dict[str, Any] = {}
        self.choose()

    @classmethod
    def why_not(cls, stage: Stage) -> str | None:
        """Why it cannot be tried on this stage; None where it can."""
        return None

    @property
    def claims(self) -> frozenset[str]:
        """What no other fault may touch at the same time."""
        return frozenset({self.target})

    @abstractmethod
    def choose(self) -> None:
        """Throw the dice: sets `target` and `detail`."""

    @abstractmethod
    async def begin(self) -> None:
        """Break it."""

    async def wholly[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Of `begin`: what goes on when the deadline is over, as a thread does."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        return await asyncio.shield(task)

    async def rested(self) -> None:
        """Returns when nothing of `begin` goes on any more: only then may it be mended."""
        await asyncio.gather(*self._working, return_exceptions=True)

    async def end(self) -> None:  # noqa: B027 - some faults are over as soon as they happened
        """Mend it; also when `begin` failed."""


class _OfReplica(Fault):
    def choose(self) -> None:
        self.replica: Replica = self.dice.choice(self.stage.replicas)
        self.target = self.replica.name


class ReplicaKilled(_OfReplica):
    """SIGKILL to a ledger or a projector."""

    name = "replica-killed"

    async def begin(self) -> None:
        await self.wholly(self.replica.kill())

    async def end(self) -> None:
        await asyncio.to_thread(self.replica.ensure)


class ReplicaFrozen(_OfReplica):
    """SIGSTOP: it keeps its connections and its locks, and does nothing."""

    name = "replica-frozen"
    lasts_s = FROZEN_S

    async def begin(self) -> None:
        self.replica.freeze()

    async def end(self) -> None:
        await asyncio.to_thread(self.replica.ensure)


class BothFrozen(Fault):
    """SIGSTOP to both replicas of a service."""

    name = "both-replicas-frozen"
    lasts_s = FROZEN_S

    def choose(self) -> None:
        self.target = self.dice.choice(("ledgers", "projectors"))
        cluster = self.stage.cluster
        self.replicas = cluster.ledgers if self.target == "ledgers" else cluster.projectors

    @property
    def claims(self) -> frozenset[str]:
        return frozenset(replica.name for replica in self.replicas)

    async def begin(self) -> None:
        for replica in self.replicas:
            replica.freeze()

    async def end(self) -> None:
        for replica in self.replicas:
            await asyncio.to_thread(replica.ensure)


class Deployment(Fault):
    """Every process drained by SIGTERM and replaced, one after the other."""

    name = "deployment"
    lasts_s = (0.0, 0.0)
    deadline_s = 240.0

    def choose(self) -> None:
        self.target = "all"

    @property
    def claims(self) -> frozenset[str]:
        return frozenset(replica.name for replica in self.stage.replicas)

    async def begin(self) -> None:
        for replica in self.stage.replicas:
            await self.wholly(replica.drain())
            await self.wholly(replica.start())

    async def end(self) -> None:
        for replica in self.stage.replicas:
            await asyncio.to_thread(replica.ensure)


class PostgresCrashed(Fault):
    """PostgreSQL ends at once, or is killed; it recovers at the next start."""

    name = "postgres-crashed"

    def choose(self) -> None:
        self.target = "postgres"
        self.detail = {"by": self.dice.choice(("SIGQUIT", "SIGKILL"))}

    async def begin(self) -> None:
        server = self.stage.cluster.postgres
        how = server.abort if self.detail["by"] == "SIGQUIT" else server.kill
        await self.wholly(asyncio.to_thread(how))

    async def end(self) -> None:
        await asyncio.to_thread(self.stage.cluster.postgres.start)


class _OfBackends(Fault):
    """Some of the server processes that serve the services."""

    def choose(self) -> None:
        self.target = "postgres"
        self.share = self.dice.choice((0.2, 0.5, 1.0))
        self.backends: list[ProcessIdentity] = []

    async def signal(self, number: signal.Signals) -> None:
        if not self.backends:
            pids = [row["pid"] for row in await self.stage.owner(_BACKENDS)]
            chosen = self.dice.sample(pids, max(1, round(len(pids) * self.share))) if pids else []
            self.backends = [found for pid in chosen if (found := identity_of(pid)) is not None]
        self.detail["backends"] = len(self.backends)
        for backend in self.backends:
            send_signal(backend, number)


class BackendsFrozen(_OfBackends):
    """SIGSTOP to server processes of PostgreSQL, whatever they hold."""

    name = "postgres-backends-frozen"
    lasts_s = FROZEN_S

    async def begin(self) -> None:
        await self.signal(signal.SIGSTOP)

    async def end(self) -> None:
        for backend in self.backends:
            send_signal(backend, signal.SIGCONT)


class BackendKilled(_OfBackends):
    """SIGKILL to one server process: PostgreSQL throws everybody out and recovers."""

    name = "postgres-backend-killed"

    async def begin(self) -> None:
        self.share = 0.0
        await self.signal(signal.SIGKILL)

    async def end(self) -> None:
        await asyncio.to_thread(self.stage.cluster.postgres.start)


class PostgresFrozen(Fault):
    """SIGSTOP to PostgreSQL's own processes: postmaster, checkpointer, log writer or all."""

    name = "postgres-frozen"
    lasts_s = FROZEN_S

    def choose(self) -> None:
        self.target = "postgres"
        self.detail = {"who": self.dice.choice(("postmaster", *_OWN_PROCESSES, "all"))}
        self._frozen: list[ProcessIdentity] = []

    async def begin(self) -> None:
        who = self.detail["who"]
        pids = [row["pid"] for row in await self.stage.owner(_OWN, list(_OWN_PROCESSES), who)]
        postmaster = self.stage.cluster.postgres.process
        if who in ("postmaster", "all") and postmaster is not None:
            pids.append(postmaster.pid)
        self._frozen = [found for pid in pids if (found := identity_of(pid)) is not None]
        self.detail["processes"] = len(self._frozen)
        assert self._frozen, f"PostgreSQL has no {who}"
        for process in self._frozen:
            send_signal(process, signal.SIGSTOP)

    async def end(self) -> None:
        for process in self._frozen:
            send_signal(process, signal.SIGCONT)


class _OfNode(Fault):
    def choose(self) -> None:
        self.node: NatsServer = self.dice.choice(self.stage.nodes.all)
        self.target = self.node.home.name


class NatsKilled(_OfNode):
    """SIGKILL to a server of NATS."""

    name = "nats-killed"

    async def begin(self) -> None:
        await self.wholly(asyncio.to_thread(self.node.kill))

    async def end(self) -> None:
        await asyncio.to_thread(self.node.start)


class NatsFrozen(_OfNode):
    """SIGSTOP to a server of NATS."""

    name = "nats-frozen"
    lasts_s = FROZEN_S

    async def begin(self) -> None:
        if self.node.process is not None:
            self.node.process.signal(signal.SIGSTOP)

    async def end(self) -> None:
        if self.node.process is not None:
            self.node.process.signal(signal.SIGCONT)
        await asyncio.to_thread(self.node.start)


OF_PROCESSES: Final[Sequence[type[Fault]]] = (
    ReplicaKilled,
    ReplicaFrozen,
    BothFrozen,
    Deployment,
    PostgresCrashed,
    BackendsFrozen,
    BackendKilled,
    PostgresFrozen,
    NatsKilled,
    NatsFrozen,
)
