"""Every limit the services keep, each with its unit, in one place.

A limit that a client meets is answered as an error that names it; none is silently applied.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- What one call may carry ---
BATCH_EVENTS_MAX: Final = 1_000
REQUEST_BYTES_MAX: Final = 8 * MIB
# The message around a request of REQUEST_BYTES_MAX: what gRPC itself accepts before we can answer
# with a reason of our own.
MESSAGE_BYTES_MAX: Final = REQUEST_BYTES_MAX + MIB
METADATA_BYTES_MAX: Final = 16 * KIB
OCCASION_TOUCHPOINTS_MAX: Final = 1_000

# --- What one event may carry ---
# The payload as stored, below the 1 MiB that NATS takes, with room for its headers.
EVENT_BYTES_MAX: Final = 256 * KIB
# Every text about people but a display name: notes, facts, reasons, values of attributes.
PERSONAL_TEXT_BYTES_MAX: Final = 64 * KIB
DISPLAY_NAME_BYTES_MAX: Final = 1 * KIB
EXTERNAL_ID_BYTES_MAX: Final = 1 * KIB
URL_BYTES_MAX: Final = 2 * KIB
ATTRIBUTES_MAX: Final = 32
DATA_SUBJECTS_MAX: Final = 16
FACTS_USED_MAX: Final = 64
CORRELATION_ID_BYTES_MAX: Final = 128
CHANNEL_BYTES_MAX: Final = 64
CATEGORY_BYTES_MAX: Final = 64
TEAM_BYTES_MAX: Final = 64
TIER_BYTES_MAX: Final = 64
ROLE_BYTES_MAX: Final = 128
TOOL_BYTES_MAX: Final = 128
METHOD_BYTES_MAX: Final = 64
WATCH_LIST_PARTIES_MAX: Final = 1_000
# Minutes of one touchpoint, each of prep, live and follow-up.
MINUTES_MAX: Final = 100_000
POLICY_BYTES_MAX: Final = 128 * KIB
CLOCK_AHEAD_MAX_US: Final = 5 * 60 * 1_000_000

# --- What one answer may carry ---
PAGE_SIZE_DEFAULT: Final = 50
PAGE_SIZE_MAX: Final = 1_000
PAGE_TOKEN_BYTES_MAX: Final = 4 * KIB
FILTER_VALUES_MAX: Final = 100
READ_EVENTS_MAX: Final = 1_000_000_000
BALANCES_PER_BATCH_MAX: Final = 1_000
# ListBalances on another day, known_at or policy folds every relationship of the person.
FOLDED_RELATIONSHIPS_MAX: Final = 10_000
# A page of a timeline as known in the past folds all of it.
FOLDED_TOUCHPOINTS_MAX: Final = 100_000
# SummarizeTimeline reads every touchpoint of the months it answers.
SUMMARIZED_TOUCHPOINTS_MAX: Final = 100_000
SUMMARIZED_MONTHS_MAX: Final = 120
SUMMARIZED_MONTHS_DEFAULT: Final = 12
# How far ahead a forecast looks, and how much a plan may hold.
FORECAST_DAYS_MAX: Final = 3_650
PLAN_TOUCHPOINTS_MAX: Final = 100
# A bundle is put together in memory.
BUNDLE_EVENTS_MAX: Final = 100_000
BUNDLE_CHUNK_BYTES: Final = 256 * KIB
WATCH_LIST_LINES_MAX: Final = 200
WATCH_LIST_LINES_DEFAULT: Final = 20
# DiffPolicy answers those that move most.
POLICY_MOVES_MAX: Final = 1_000
POLICY_MOVES_DEFAULT: Final = 50
# Stored bytes in one page: with what is around them below the 4 MiB that gRPC clients take unasked.
PAGE_BYTES_MAX: Final = 3 * MIB

# --- How long a query waits for min_position ---
# Of a caller without a deadline.
MIN_POSITION_WAIT_MS: Final = 30_000
# Kept of a caller's deadline for the answer that says how far the read model is; at most a quarter.
DEADLINE_MARGIN_MS: Final = 200

# --- What may wait inside a service ---
# Of a stream or call, in gRPC, before it is asked for.
STREAM_WINDOW_BYTES: Final = 256 * KIB
# Unary calls under way and their requests as they came; decoded they take several times that.
CALLS_IN_FLIGHT_MAX: Final = 1_000
CALL_BYTES_IN_FLIGHT_MAX: Final = 16 * MIB
IN_FLIGHT_EVENTS_MAX: Final = 20_000
IN_FLIGHT_BYTES_MAX: Final = 64 * MIB
IN_FLIGHT_EVENTS_PER_TENANT_MAX: Final = 10_000
IN_FLIGHT_BYTES_PER_TENANT_MAX: Final = 32 * MIB
# What one transaction of the journal takes; a single request always fits.
GROUP_EVENTS_MAX: Final = 2_000
GROUP_BYTES_MAX: Final = 8 * MIB
# What one statement reads of a journal or a home; an event more than the bytes may come along.
READ_CHUNK_EVENTS_MAX: Final = 1_000
READ_CHUNK_BYTES_MAX: Final = 256 * KIB
# Streams of any sort that a service has open at once.
STREAMS_OPEN_MAX: Final = 1_000
# Reads and subscriptions among a ledger's; one whose reader takes nothing holds a megabyte or two.
SUBSCRIBERS_MAX: Final = 256
# Of them at work on their next chunk at once; the others wait, in turn, and appends do not.
READERS_AT_WORK_MAX: Final = 4
# Ingest streams open at once, and what each may have unanswered; events within what a tenant may
# have in flight, so that two streams of one tenant do not starve each other.
INGEST_STREAMS_MAX: Final = 64
INGEST_BATCHES_MAX: Final = 32
INGEST_BYTES_MAX: Final = 16 * MIB
INGEST_EVENTS_MAX: Final = 5_000
# Over all ingest streams, as they came and until they are recorded.
INGEST_BYTES_IN_FLIGHT_MAX: Final = 32 * MIB

# --- The key store ---
SUBJECTS_PER_TEXT_MAX: Final = DATA_SUBJECTS_MAX + 2
ROTATION_BATCH_KEYS: Final = 1_000
