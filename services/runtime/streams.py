"""The names a journal has on NATS: its stream, its subjects, its wake-up hint, its headers.

Subjects carry only checked names: journal, tenant, type and kind. Nothing personal goes on the wire
outside the message body, and personal texts in the body are sealed.
"""

import re
from typing import Final

STREAM_PREFIX: Final = "rapport-events-"
SUBJECT_PREFIX: Final = "rapport.v1.events"
WAKE_PREFIX: Final = "rapport.wake"
NO_KIND: Final = "none"
ATTENTION_STREAM_PREFIX: Final = "rapport-attention-"
ATTENTION_PREFIX: Final = "rapport.v1.attention"

# CloudEvents 1.0, NATS binary mode; extensions carry what the journal's envelope has beyond it.
SPEC_VERSION: Final = "ce-specversion"
EVENT_ID: Final = "ce-id"
SOURCE: Final = "ce-source"
TYPE: Final = "ce-type"
TIME: Final = "ce-time"
SUBJECT: Final = "ce-subject"
CONTENT_TYPE: Final = "ce-datacontenttype"
TENANT: Final = "ce-tenant"
POSITION: Final = "ce-position"
REVISION: Final = "ce-revision"
RECORDED_AT: Final = "ce-recordedat"
RECORDED_BY: Final = "ce-recordedby"
VERIFIED: Final = "ce-verified"
CORRELATION_ID: Final = "ce-correlationid"
CAUSATION_ID: Final = "ce-causationid"
SCHEMA_VERSION: Final = "ce-schemaversion"
INCARNATION: Final = "ce-incarnation"
# Of attention alone: `raised` or `cleared`.
CHANGE: Final = "ce-change"

_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def stream_name(journal: str) -> str:
    """The JetStream stream of a journal; its sequence equals the journal's position."""
    return STREAM_PREFIX + journal


def journal_subjects(journal: str) -> str:
    """The wildcard that every event of a journal matches."""
    return f"{SUBJECT_PREFIX}.{journal}.>"


def event_subject(journal: str, tenant: str, type_name: str, kind: str | None) -> str:
    """`rapport.v1.events.<journal>.<tenant>.<type>.<kind>` of one event.

    The type's last word in snake_case; dots of a kind as `-`; `none` without a kind.
    """
    word = _WORD_START.sub("_", type_name.rpartition(".")[2]).lower()
    return f"{SUBJECT_PREFIX}.{journal}.{tenant}.{word}.{(kind or NO_KIND).replace('.', '-')}"


def wake_subject(journal: str) -> str:
    """Core NATS: "this journal has grown". A hint only; whoever misses it polls."""
    return f"{WAKE_PREFIX}.{journal}"


def attention_stream_name(journal: str) -> str:
    """The JetStream stream of a journal's attention log; its sequence equals the log's number."""
    return ATTENTION_STREAM_PREFIX + journal


def attention_subjects(journal: str) -> str:
    """The wildcard that every attention change of a journal matches."""
    return f"{ATTENTION_PREFIX}.{journal}.>"


def attention_subject(journal: str, tenant: str, rule: str) -> str:
    """`rapport.v1.attention.<journal>.<tenant>.<rule>` of one change."""
    return f"{ATTENTION_PREFIX}.{journal}.{tenant}.{rule}"
