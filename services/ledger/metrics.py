"""What the ledger counts; names and labels hold nothing personal."""

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.ledger.journal.store import GroupReport
from services.runtime.metrics import LATENCY_BUCKETS_S, SIZE_BUCKETS


class LedgerMetrics:
    """Metrics of one ledger process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # From a batch being read from the wire to its being durable.
        self._append_seconds: Final = Histogram(
            "rapport_append_seconds",
            "Duration of appends that were recorded",
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._appended: Final = Counter(
            "rapport_appended_events", "Events recorded, replays left out", registry=registry
        )
        self._replayed: Final = Counter(
            "rapport_replayed_events", "Events that had been recorded before", registry=registry
        )
        self._group_events: Final = Histogram(
            "rapport_group_events",
            "Events of one commit",
            ["journal"],
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self._group_batches: Final = Histogram(
            "rapport_group_batches",
            "Callers of one commit",
            ["journal"],
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self._commit_seconds: Final = Histogram(
            "rapport_commit_seconds",
            "Duration of one commit",
            ["journal"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._head: Final = Gauge(
            "rapport_journal_head", "Position of the last event", ["journal"], registry=registry
        )
        self._refusals: Final = Counter(
            "rapport_refusals", "Requests and batches refused", ["reason"], registry=registry
        )
        self._calls: Final = Counter(
            "rapport_calls", "RPCs ended", ["method", "code"], registry=registry
        )
        self._call_seconds: Final = Histogram(
            "rapport_call_seconds",
            "Duration of RPCs",
            ["method"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        # Finding a child by its labels costs more than counting with it.
        self._ended: Final = cache(self._ended_anew)
        self._streams: Final = Gauge(
            "rapport_open_streams", "Reads, subscriptions and ingests open", registry=registry
        )

    def call_ended(self, method: str, code: str, reason: str, duration_s: float) -> None:
        """An RPC ended (services.runtime.server.CallObserver)."""
        calls, seconds = self._ended(method, code)
        calls.inc()
        seconds.observe(duration_s)
        if reason:
            self.refused(reason)

    def _ended_anew(self, method: str, code: str) -> tuple[Counter, Histogram]:
        short = method.rpartition("/")[2]
        return self._calls.labels(short, code), self._call_seconds.labels(short)

    def refused(self, reason: str) -> None:
        """A request, or a batch of a stream, was refused."""
        self._refusals.labels(reason).inc()

    def appended(self, events: int, replayed: int, duration_s: float) -> None:
        """A batch was recorded."""
        self._append_seconds.observe(duration_s)
        self._appended.inc(events)
        self._replayed.inc(replayed)

    def group(self, report: GroupReport) -> None:
        """A group was committed or refused."""
        self._group_batches.labels(report.journal).observe(report.batches)
        self._group_events.labels(report.journal).observe(report.events)
        self._commit_seconds.labels(report.journal).observe(report.duration_s)

    def head(self, journal: str, position: int) -> None:
        """A journal has grown."""
        self._head.labels(journal).set(position)

    def streams(self, change: int) -> None:
        """A stream began (1) or ended (-1)."""
        self._streams.inc(change)
