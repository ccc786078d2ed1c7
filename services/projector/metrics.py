"""What the projector counts; names and labels hold nothing personal."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.projector.projections.outcomes import Applied
from services.runtime.clock import US_PER_SECOND
from services.runtime.metrics import LATENCY_BUCKETS_S, SIZE_BUCKETS


class ProjectorMetrics:
    """Metrics of one projector process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._position: Final = Gauge(
            "rapport_projector_position",
            "Position of the last event applied",
            ["journal"],
            registry=registry,
        )
        self._lag_positions: Final = Gauge(
            "rapport_projector_lag_positions",
            "Head of the journal as last seen, less position",
            ["journal"],
            registry=registry,
        )
        # How long ago the last event applied was recorded; 0 at the head.
        self._lag_seconds: Final = Gauge(
            "rapport_projector_lag_seconds",
            "Age of the views, 0 at the head of the journal",
            ["journal"],
            registry=registry,
        )
        self._parked: Final = Gauge(
            "rapport_projector_parked_events",
            "Events put aside because they could not be applied",
            ["journal"],
            registry=registry,
        )
        self._serving: Final = Gauge(
            "rapport_projector_intake_state",
            "1 for the state the intake of a journal is in",
            ["journal", "state"],
            registry=registry,
        )
        self._applied: Final = Counter(
            "rapport_projector_applied_events", "Events applied", ["journal"], registry=registry
        )
        self._batch: Final = Histogram(
            "rapport_projector_batch_events",
            "Events of one transaction",
            ["journal"],
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self._apply_seconds: Final = Histogram(
            "rapport_projector_apply_seconds",
            "Duration of one transaction",
            ["journal"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        # Summed over all replicas it is 1 for every journal, but for moments in which one moves.
        self._holds: Final = Gauge(
            "rapport_projector_holds_journal",
            "1 for a journal that this replica follows",
            ["journal"],
            registry=registry,
        )
        self._replicas: Final = Gauge(
            "rapport_projector_replicas",
            "Replicas that share the journals, as last seen",
            registry=registry,
        )
        self._turned: Final = Counter(
            "rapport_projector_turned_rows",
            "Rows brought to a new day or policy",
            ["journal"],
            registry=registry,
        )
        self._attention_changes: Final = Counter(
            "rapport_attention_changes",
            "Attention items raised and cleared",
            ["journal"],
            registry=registry,
        )
        self._attention_days: Final = Counter(
            "rapport_attention_turns",
            "Days of a tenant turned",
            ["journal"],
            registry=registry,
        )
        self._attention_failures: Final = Counter(
            "rapport_attention_failures",
            "Days of a tenant that could not be turned, for another reason than a lost connection",
            ["journal"],
            registry=registry,
        )
        self._attention_lag: Final = Gauge(
            "rapport_attention_lag_changes",
            "Changes in the log that are not on NATS yet",
            ["journal"],
            registry=registry,
        )
        self._attention_state: Final = Gauge(
            "rapport_attention_stream_state",
            "1 for the state the publisher of a journal's attention is in",
            ["journal", "state"],
            registry=registry,
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
        self._refusals: Final = Counter(
            "rapport_refusals", "Requests refused", ["reason"], registry=registry
        )
        self._states: dict[str, str] = {}
        self._publishers: dict[str, str] = {}

    def applied(self, journal: str, applied: Applied, duration_s: float) -> None:
        """A transaction was committed."""
        self.at(journal, applied.position, applied.parked_total)
        if applied.events:
            self._applied.labels(journal).inc(applied.events)
            self._batch.labels(journal).observe(applied.events)
            self._apply_seconds.labels(journal).observe(duration_s)

    def at(self, journal: str, position: int, parked: int) -> None:
        """The checkpoint of a journal."""
        self._position.labels(journal).set(position)
        self._parked.labels(journal).set(parked)

    def lag(self, journal: str, positions: int, age_us: int) -> None:
        """How far a journal's views are behind its head, as last seen."""
        self._lag_positions.labels(journal).set(max(positions, 0))
        seconds = max(age_us, 0) / US_PER_SECOND if positions > 0 else 0
        self._lag_seconds.labels(journal).set(seconds)

    def state(self, journal: str, state: str) -> None:
        """What the intake of a journal does now."""
        before = self._states.get(journal)
        if before is not None:
            self._serving.labels(journal, before).set(0)
        self._states[journal] = state
        self._serving.labels(journal, state).set(1)

    def replicas(self, count: int) -> None:
        """So many replicas share the journals, this one included."""
        self._replicas.set(count)

    def holds(self, journal: str, held: bool) -> None:
        """This replica follows a journal now, or no more: then only another one knows how it is."""
        self._holds.labels(journal).set(int(held))
        if held:
            return
        for gauge in (self._position, self._lag_positions, self._lag_seconds, self._parked):
            gauge.remove(journal)
        state = self._states.pop(journal, None)
        if state is not None:
            self._serving.remove(journal, state)

    def turned(self, journal: str, rows: int) -> None:
        """Rows were brought to a new day or policy."""
        self._turned.labels(journal).inc(rows)

    def attention_turned(self, journal: str, changes: int) -> None:
        """A day of a tenant was turned."""
        self._attention_days.labels(journal).inc()
        self._attention_changes.labels(journal).inc(changes)

    def attention_failed(self, journal: str) -> None:
        """A day of a tenant could not be turned."""
        self._attention_failures.labels(journal).inc()

    def attention_published(self, journal: str, state: str, position: int, head: int) -> None:
        """How far the stream of a journal's attention is, and what its publisher does."""
        self._attention_lag.labels(journal).set(max(head - position, 0))
        before = self._publishers.get(journal)
        if before is not None:
            self._attention_state.labels(journal, before).set(0)
        self._publishers[journal] = state
        self._attention_state.labels(journal, state).set(1)

    def attention_left(self, journal: str) -> None:
        """Another replica, or nobody, publishes a journal's attention now."""
        self._attention_lag.remove(journal)
        state = self._publishers.pop(journal, None)
        if state is not None:
            self._attention_state.remove(journal, state)

    def call_ended(self, method: str, code: str, reason: str, duration_s: float) -> None:
        """An RPC ended; for services.runtime.server."""
        self._calls.labels(method, code).inc()
        self._call_seconds.labels(method).observe(duration_s)
        if reason:
            self._refusals.labels(reason).inc()
