"""The rows of the table and their targets; `at_most` ones are costs."""

from typing import Final

from bench.report import Row

_EVENTS: Final = "events/s"
_MS: Final = "ms"


def after_events(count: int) -> str:
    """What grown memory is compared with."""
    return f"after {count:,} events"


UNARY: Final = Row("unary", "unary append, 64 in flight", "gRPC echo", "calls/s", 0.70)
INGEST: Final = Row(
    "ingest", "streamed ingest, batches of 500, durable", "raw COPY at 500", _EVENTS, 0.60
)
INGEST_FOLLOWED: Final = Row(
    "ingest_followed",
    "streamed ingest, relay and projector under 1 s behind",
    "raw COPY at 500",
    _EVENTS,
    0.30,
)
RELAY: Final = Row("relay", "relay", "raw pipelined JetStream publish", "messages/s", 0.70)
VISIBLE_P50: Final = Row(
    "visible_p50",
    "append → visible, p50 at 20 % of peak",
    "raw commit of one row, p50",
    _MS,
    8,
    at_most=True,
)
VISIBLE_P99: Final = Row(
    "visible_p99",
    "append → visible, p99 at 20 % of peak",
    "raw commit of one row, p50",
    _MS,
    40,
    at_most=True,
)
GROWN_APPEND: Final = Row(
    "grown_append", "append p50, grown journal", "empty journal", _MS, 1.2, at_most=True
)
GROWN_TIMELINE: Final = Row(
    "grown_timeline", "timeline page p50, grown journal", "empty journal", _MS, 1.5, at_most=True
)
GROWN_BALANCE: Final = Row(
    "grown_balance", "balance p50, grown journal", "empty journal", _MS, 1.5, at_most=True
)
GROWN_LEDGER: Final = Row(
    "grown_ledger",
    "resident memory of the ledger, grown",
    after_events(100_000),
    "MiB",
    1.2,
    at_most=True,
)
GROWN_PROJECTOR: Final = Row(
    "grown_projector",
    "resident memory of the projector, grown",
    after_events(100_000),
    "MiB",
    1.2,
    at_most=True,
)
REBUILD: Final = Row(
    "rebuild",
    "rebuild of all read models",
    "live projection of the same events",
    _EVENTS,
    2.0,
)
PEER_INGEST: Final = Row(
    "peer_ingest", "streamed ingest", "`eventsourcing` in batches of 500", _EVENTS, 1.0
)
PEER_UNARY: Final = Row(
    "peer_unary", "unary append, 64 in flight", "`eventsourcing` from 8 threads", _EVENTS, 4.0
)
