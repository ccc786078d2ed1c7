"""The relay of a ledger process: one task a journal, one NATS connection for all.

Appends never wait for it. Its health has a name of its own, `rapport.relay`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry, Counter, Gauge
from rapport.events.connecting import connect

from services.ledger.relay.journal_relay import JournalLog, JournalSource
from services.ledger.relay.lag import Lag
from services.ledger.relay.stream import EventStream
from services.runtime import streams
from services.runtime.jetstream import Retention, check_server_version, servers_of
from services.runtime.leadership import leadership
from services.runtime.lifecycle import Supervisor
from services.runtime.logs import get_logger
from services.runtime.publishing import Publisher, PublisherState

_log = get_logger(__name__)

HEALTH_NAME: Final = "rapport.relay"
# How often the relay looks for journals created elsewhere.
DISCOVER_S: Final = 1.0
RECONNECT_S: Final = 0.25


class RelayLog(JournalLog, Protocol):
    """What the relay needs of the journal store beyond reading one journal."""

    async def journal_names(self) -> list[str]: ...

    def nudge(self, journal: str) -> None: ...


class Relay:
    """Keeps the streams of all journals at their heads."""

    def __init__(
        self,
        log: RelayLog,
        *,
        nats_url: str,
        dsn: str,
        registry: CollectorRegistry,
        on_health: Callable[[bool], None],
        replicas: int = 1,
        retention: Retention | None = None,
    ) -> None:
        """`dsn` is where advisory locks are taken; `on_health` is told when health changes.

        `replicas` is the number of copies (R) of streams it creates, `retention` what streams keep;
        None leaves it as it is.
        """
        self._log, self._nats_url, self._dsn, self._replicas = log, nats_url, dsn, replicas
        self._retention = retention
        self._on_health = on_health
        self._healthy = False
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._states: dict[str, PublisherState] = {}
        self._reports: dict[str, int] = {}
        self._lags: dict[str, Lag] = {}
        self._progress = asyncio.Event()
        self._supervisor = Supervisor(on_crash=lambda name, _: self._crashed(name))
        # How far the stream of a journal follows its head.
        self._position = Gauge(
            "rapport_relay_position", "Last position published", ["journal"], registry=registry
        )
        self._lag = Gauge(
            "rapport_relay_lag_positions", "Head less position", ["journal"], registry=registry
        )
        # How long the stream has not been at the head.
        self._lag_seconds = Gauge(
            "rapport_relay_lag_seconds",
            "Time since position last came to the head told before",
            ["journal"],
            registry=registry,
        )
        self._state_changes = Counter(
            "rapport_relay_state_changes", "States entered", ["journal", "state"], registry=registry
        )

    def start(self) -> None:
        """Begin in the background; never raises for a NATS that is not there."""
        self._supervisor.start("relay", self._run)

    async def stop(self) -> None:
        """End every task and the connection. What is not published yet is the next relay's work."""
        await self._supervisor.stop()
        if self._client is not None and not self._client.is_closed:
            with suppress(nats.errors.Error):
                await self._client.close()

    async def flushed(self) -> None:
        """Returns when every journal this process leads stands at its head."""
        for journal in list(self._states):
            head = (await self._log.head(journal)).head
            while (
                self._states[journal] is PublisherState.FOLLOWING and self._reports[journal] < head
            ):
                self._progress.clear()
                await self._progress.wait()

    def hint(self, journal: str) -> None:
        """Tell other processes that a journal has grown. A hint: lost ones cost a poll's delay."""
        client = self._client
        if client is not None and client.is_connected:
            task = asyncio.ensure_future(client.publish(streams.wake_subject(journal)))
            task.add_done_callback(_ignore_lost_hint)

    async def _run(self) -> None:
        while True:
            await self._connect()
            for journal in await self._log.journal_names():
                if journal not in self._states:
                    self._states[journal] = PublisherState.STANDBY
                    self._supervisor.start(f"relay/{journal}", partial(self._lead, journal))
            self._tell_health()
            await asyncio.sleep(DISCOVER_S)

    async def _connect(self) -> Client:
        """The connection; waits for NATS as long as it takes.

        Made anew where the client gave it up, which it does for most errors that the server sends.
        """
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._tell_health()
                self._client = await self._connected()
            return self._client

    async def _connected(self) -> Client:
        told = False
        while True:
            try:
                client = await connect(
                    servers_of(self._nats_url),
                    name="rapport-relay",
                    # This process knows of its own appends before any hint comes back.
                    no_echo=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_S,
                    error_cb=_quiet,
                    disconnected_cb=self._disconnected,
                    reconnected_cb=self._reconnected,
                )
            except (nats.errors.Error, OSError, TimeoutError) as fault:
                if not told:
                    _log.warning("nats out of reach", exc_info=fault)
                    told = True
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                check_server_version(client)
                # Once a connection: whoever asks for it may crash and ask again.
                await client.subscribe(f"{streams.WAKE_PREFIX}.*", cb=self._woken)
            except BaseException:
                await client.close()
                raise
            return client

    async def _lead(self, journal: str) -> None:
        name = f"rapport-relay-{journal}"
        # First, so that nobody leads who cannot publish while another could.
        client = await self._connect()
        async with leadership(self._dsn, f"rapport.relay/{journal}", name=name) as held:
            stream = EventStream(
                client,
                journal,
                replicas=self._replicas,
                retention=self._retention,
            )
            source = JournalSource(self._log, journal)
            await Publisher(source, stream, partial(self._report, journal)).run(held)

    async def _woken(self, message: Msg) -> None:
        self._log.nudge(message.subject.removeprefix(f"{streams.WAKE_PREFIX}."))

    async def _disconnected(self) -> None:
        self._tell_health()

    async def _reconnected(self) -> None:
        assert self._client is not None
        check_server_version(self._client)
        self._tell_health()

    def _report(self, journal: str, state: PublisherState, position: int, head: int) -> None:
        if self._states.get(journal) is not state:
            self._state_changes.labels(journal, state.value).inc()
        self._states[journal] = state
        self._reports[journal] = position
        self._progress.set()
        self._position.labels(journal).set(position)
        self._lag.labels(journal).set(max(head - position, 0))
        behind_s = self._lags.setdefault(journal, Lag()).behind_s(position, head, _now_s())
        self._lag_seconds.labels(journal).set(behind_s)
        self._tell_health()

    def _crashed(self, name: str) -> None:
        """Also where the lead of a journal was lost: how it is, is another ledger's to say."""
        journal = name.removeprefix("relay/")
        if journal in self._states:
            self._states[journal] = PublisherState.STANDBY
            for gauge in (self._position, self._lag, self._lag_seconds):
                gauge.remove(journal)
        self._tell_health()

    def _tell_health(self) -> None:
        connected = self._client is not None and self._client.is_connected
        unwell = {PublisherState.DIVERGED, PublisherState.DISCONNECTED}
        healthy = connected and not unwell & set(self._states.values())
        if healthy != self._healthy:
            self._healthy = healthy
            self._on_health(healthy)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _quiet(_: Exception) -> None:
    """nats-py prints every error of its own accord; the relay's states say the same, once."""


def _ignore_lost_hint(task: "asyncio.Future[None]") -> None:
    if not task.cancelled():
        task.exception()
