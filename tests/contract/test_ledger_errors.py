"""Every reason the ledger can give: its code, ErrorInfo, BadRequest and RetryInfo."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1 import errors_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.journal import outcomes
from services.runtime.errors import Reason
from services.runtime.grpc_errors import CODES, code_number
from tests.support.databases import Database
from tests.support.garbage import nothing_left_behind
from tests.support.ledger import (
    SERVICE,
    LedgerUnderTest,
    Told,
    ledger_on,
    metrics_of,
    new,
    told,
    touch,
    until_serving,
    who,
)

ANN, BOB = "people/ann", "people/bob"

# Told by the projector, or by health and doctor alone.
ELSEWHERE = {
    Reason.POLICY_UNKNOWN,
    Reason.PARTY_UNKNOWN,
    Reason.LIST_TOO_WIDE,
    Reason.STREAM_DIVERGED,
    Reason.ARCHIVED,
    Reason.VIEW_BEHIND,
    Reason.VIEW_BUILDING,
    Reason.CALLER_REQUIRED,
    Reason.WATCH_LIST_UNKNOWN,
}
RETRYABLE = {
    Reason.TOO_BUSY,
    Reason.DISK_LOW,
    Reason.READER_TOO_SLOW,
    Reason.UNAVAILABLE,
    Reason.OUTCOME_UNKNOWN,
}
# Carries no path: nothing of the request could be read.
WITHOUT_PATH = {Reason.REQUEST_MALFORMED}

type Provoke = Callable[[LedgerUnderTest], Awaitable[Told]]
PROVOKED: dict[Reason, tuple[Provoke, dict[str, str | None], list[str]]] = {}


def provokes(reason: Reason, *fields: str, **metadata: str | None) -> Callable[[Provoke], Provoke]:
    """Registers how to meet a reason, with the metadata (None: any value) and paths it has."""

    def register(provoke: Provoke) -> Provoke:
        PROVOKED[reason] = (provoke, metadata, list(fields))
        return provoke

    return register


def voided(target: str) -> pb.NewEvent:
    return new(voided=touchpoint_pb2.Voided(target=target))


@provokes(Reason.FIELD_REQUIRED, "events[0].touchpoint.counterpart")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(ANN, "")))


@provokes(Reason.FIELD_MALFORMED, "events[1].touchpoint.initiator")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(), touch("ann")))


@provokes(Reason.OUT_OF_RANGE, "events[0].touchpoint.sentiment")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(sentiment=3)))


@provokes(Reason.FIELD_NOT_ALLOWED, "events[0].touchpoint.severity")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(severity=1)))


@provokes(Reason.SAME_PERSON, "events[0].touchpoint.counterpart")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(ANN, ANN)))


@provokes(Reason.KIND_UNKNOWN, "events[0].touchpoint.kind", kind="nope")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(kind="nope")))


@provokes(Reason.TYPE_UNKNOWN, "events[0].schema_version")
async def _(ledger: LedgerUnderTest) -> Told:
    event = touch()
    event.schema_version = 7
    return await told(ledger.append(event))


@provokes(Reason.ENUM_VALUE_UNKNOWN, "events[0].touchpoint.initiative")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(initiative=17)))


@provokes(Reason.TIME_AHEAD, "events[0].occurred_at", now=None)
async def _(ledger: LedgerUnderTest) -> Told:
    event = touch()
    event.occurred_at.CopyFrom(Timestamp(seconds=200_000_000_000))
    return await told(ledger.append(event))


@provokes(Reason.TOO_LARGE, "events[0].touchpoint.note.text", bytes="65537", limit="65536")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(note="x" * 65_537)))


@provokes(Reason.TOO_MANY, "events", count="1001", limit="1000")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(*[touch() for _ in range(1001)]))


@provokes(Reason.EVENT_ID_REPEATED, "events[1].event_id")
async def _(ledger: LedgerUnderTest) -> Told:
    event = touch()
    return await told(ledger.append(event, event))


@provokes(Reason.PAGE_TOKEN_INVALID, "page_token")
async def _(ledger: LedgerUnderTest) -> Told:
    request = pb.ListTenantsRequest(page_token="made up")
    return await told(ledger.stub.ListTenants(request, metadata=who(None, SERVICE)))


@provokes(Reason.JOURNAL_UNKNOWN, "journal", journal="nowhere")
async def _(ledger: LedgerUnderTest) -> Told:
    request = pb.CreateTenantRequest(tenant="other", journal="nowhere")
    return await told(ledger.stub.CreateTenant(request, metadata=who(None, SERVICE)))


@provokes(Reason.POLICY_INVALID, "events[0].policy_adopted.policy_json")
async def _(ledger: LedgerUnderTest) -> Told:
    adopted = practice_pb2.PolicyAdopted(policy_json="no policy")
    return await told(ledger.append(new(policy_adopted=adopted)))


@provokes(Reason.REQUEST_MALFORMED)
async def _(ledger: LedgerUnderTest) -> Told:
    raw: Any = ledger.channel.unary_unary("/rapport.v1.LedgerService/AppendEvents")
    return await told(raw(b"\xff\xff\xff\xff", metadata=who()))


@provokes(Reason.CREDENTIALS_MISSING, key="x-rapport-tenant")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(), tenant=None))


@provokes(Reason.SERVICE_PRINCIPAL_REQUIRED)
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.stub.ListTenants(pb.ListTenantsRequest(), metadata=who()))


@provokes(Reason.TENANT_UNKNOWN, tenant="nobody")
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.append(touch(), tenant="nobody"))


@provokes(Reason.EVENT_UNKNOWN, event_id=None)
async def _(ledger: LedgerUnderTest) -> Told:
    return await told(ledger.get(str(uuid4())))


@provokes(Reason.EVENT_ID_TAKEN, event_id=None, position="1", field="touchpoint.kind")
async def _(ledger: LedgerUnderTest) -> Told:
    event = touch()
    await ledger.append(event)
    return await told(ledger.append(touch(event_id=event.event_id, kind="ask")))


@provokes(Reason.TENANT_EXISTS, tenant="acme", journal="main")
async def _(ledger: LedgerUnderTest) -> Told:
    service = who(None, SERVICE)
    await ledger.stub.CreateJournal(pb.CreateJournalRequest(journal="second"), metadata=service)
    request = pb.CreateTenantRequest(tenant="acme", journal="second")
    return await told(ledger.stub.CreateTenant(request, metadata=service))


@provokes(Reason.JOURNAL_EXISTS, journal="main")
async def _(ledger: LedgerUnderTest) -> Told:
    request = pb.CreateJournalRequest(journal="main")
    return await told(ledger.stub.CreateJournal(request, metadata=who(None, SERVICE)))


@provokes(
    Reason.REVISION_CONFLICT,
    home="relationships/ann~bob",
    expected_revision="3",
    current_revision="0",
    event_id=None,
)
async def _(ledger: LedgerUnderTest) -> Told:
    event = touch()
    event.expected_revision = 3
    return await told(ledger.append(event))


@provokes(Reason.TARGET_NOT_VOIDABLE, "events[1].voided.target", event_id=None, target=None)
async def _(ledger: LedgerUnderTest) -> Told:
    first = voided(str(uuid4()))
    return await told(ledger.append(first, voided(first.event_id)))


@provokes(Reason.TARGET_NOT_CORRECTABLE, "events[1].corrected.replaces", event_id=None, target=None)
async def _(ledger: LedgerUnderTest) -> Told:
    first = touch()
    other = touchpoint_pb2.Corrected(
        replaces=first.event_id, touchpoint=touch(ANN, "people/cat").touchpoint
    )
    return await told(ledger.append(first, new(corrected=other)))


@provokes(Reason.TARGET_NOT_ENDABLE, "events[1].identity_unlinked.ends", event_id=None, target=None)
async def _(ledger: LedgerUnderTest) -> Told:
    first = touch()
    unlinked = people_pb2.IdentityUnlinked(a=ANN, b=BOB, ends=first.event_id)
    return await told(ledger.append(first, new(identity_unlinked=unlinked)))


@provokes(Reason.SUBJECT_IS_ERASED, "events[0].touchpoint.note", subject=BOB)
async def _(ledger: LedgerUnderTest) -> Told:
    request = pb.EraseSubjectRequest(subject=BOB, event_id=str(uuid4()))
    await ledger.stub.EraseSubject(request, metadata=who())
    return await told(ledger.append(touch(note="x")))


@provokes(Reason.TOO_BUSY)
async def _(ledger: LedgerUnderTest) -> Told:
    return await _failing(ledger, outcomes.Busy("busy", retry_after_ms=7))


@provokes(Reason.DISK_LOW)
async def _(ledger: LedgerUnderTest) -> Told:
    return await _failing(ledger, outcomes.DiskLow("low"))


@provokes(Reason.READER_TOO_SLOW)
async def _(ledger: LedgerUnderTest) -> Told:
    for _ in range(4):
        await ledger.append(*[touch(note="x" * 60_000) for _ in range(100)])
    call = ledger.stub.ReadEvents(pb.ReadEventsRequest(), metadata=who())
    # Nobody reads until the server has given up: more is on its way than flow control takes.
    async with asyncio.timeout(60):
        while not any("READER_TOO_SLOW" in line for line in metrics_of(ledger)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return await told(call)


@provokes(Reason.UNAVAILABLE)
async def _(ledger: LedgerUnderTest) -> Told:
    return await _failing(ledger, outcomes.Unavailable("gone"))


@provokes(Reason.OUTCOME_UNKNOWN)
async def _(ledger: LedgerUnderTest) -> Told:
    return await _failing(ledger, outcomes.OutcomeUnknown("broke"))


@provokes(Reason.DEADLINE_PASSED)
async def _(ledger: LedgerUnderTest) -> Told:
    return await _failing(ledger, outcomes.DeadlinePassed("late"))


@provokes(Reason.INTERNAL, incident=None)
async def _(ledger: LedgerUnderTest) -> Told:
    refusal = await _failing(ledger, ZeroDivisionError("secret"))
    assert "secret" not in refusal.message
    return refusal


async def _failing(ledger: LedgerUnderTest, error: Exception) -> Told:
    """What a caller is told when the journal fails like this."""

    async def append(*_: Any, **__: Any) -> Any:
        raise error

    journal = ledger.process.parts.journal
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "append", append)
        return await told(ledger.append(touch()))


async def other_calls(ledger: LedgerUnderTest) -> None:
    """As many as it takes for gRPC to let go of the one before."""
    for _ in range(4):
        await until_serving(ledger.channel)


def test_every_reason_of_the_contract_has_a_code_and_is_met_here_or_elsewhere() -> None:
    values = errors_pb2.ErrorReason.DESCRIPTOR.values
    names = {value.name.removeprefix("ERROR_REASON_") for value in values if value.number}
    assert {reason.value for reason in Reason} == names
    assert CODES.keys() == set(Reason)
    assert PROVOKED.keys() | ELSEWHERE == set(Reason)
    assert not PROVOKED.keys() & ELSEWHERE


@pytest.mark.parametrize("reason", list(PROVOKED))
async def test_a_reason_comes_with_its_code_and_details(database: Database, reason: Reason) -> None:
    provoke, metadata, fields = PROVOKED[reason]
    slow_s = 0.5 if reason is Reason.READER_TOO_SLOW else 60.0
    async with ledger_on(database, reader_timeout_s=slow_s) as ledger:
        await ledger.create_tenant()
        with nothing_left_behind():
            refusal = await provoke(ledger)
            await other_calls(ledger)
    assert refusal.reason == reason.value
    assert refusal.code is CODES[reason]
    assert refusal.metadata.keys() == metadata.keys()
    for key, value in metadata.items():
        assert refusal.metadata[key] if value is None else refusal.metadata[key] == value
    assert refusal.fields == fields
    if refusal.code is grpc.StatusCode.INVALID_ARGUMENT:
        assert fields or reason in WITHOUT_PATH
    assert (refusal.retry_ms is not None) == (reason in RETRYABLE)
    if reason is Reason.TOO_BUSY:
        assert refusal.retry_ms == 7


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ((), "x-rapport-principal"),
        ((("x-rapport-principal", "ann"),), "x-rapport-principal"),
        ((("x-rapport-principal", ANN), ("x-rapport-tenant", "A")), "x-rapport-tenant"),
        ((("x-rapport-principal", ANN),), "x-rapport-tenant"),
    ],
)
async def test_a_call_says_who_it_is_from(
    database: Database, metadata: tuple[tuple[str, str], ...], key: str
) -> None:
    async with ledger_on(database) as ledger:
        request = pb.AppendEventsRequest(events=[touch()])
        refusal = await told(ledger.stub.AppendEvents(request, metadata=metadata))
        assert (refusal.code, refusal.reason) == (
            grpc.StatusCode.UNAUTHENTICATED,
            "CREDENTIALS_MISSING",
        )
        assert refusal.metadata == {"key": key}


async def test_a_thousand_violations_fit_into_the_trailers_and_are_counted(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        refusal = await told(ledger.append(*[touch(sentiment=3) for _ in range(1000)]))
        assert refusal.fields[0] == "events[0].touchpoint.sentiment"
        assert len(refusal.fields) + int(refusal.metadata["violations_omitted"]) == 1000


async def test_an_ingest_verdict_carries_what_the_status_would(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        request = pb.IngestEventsRequest(batch=1, events=[touch(kind="nope", sentiment=9)])
        answers = [a async for a in ledger.stub.IngestEvents(iter([request]), metadata=who())]
        refused = answers[1].refused
        assert refused.code == code_number(Reason.OUT_OF_RANGE)
        assert refused.reason == errors_pb2.ERROR_REASON_OUT_OF_RANGE
        assert [v.field for v in refused.field_violations] == [
            "events[0].touchpoint.sentiment",
            "events[0].touchpoint.kind",
        ]


async def test_nothing_is_left_of_batches_of_an_ingest_that_were_refused(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        conflict = touch()
        conflict.expected_revision = 3
        refused = [touch(kind="nope"), conflict]
        requests = [pb.IngestEventsRequest(batch=i, events=[e]) for i, e in enumerate(refused, 1)]
        with nothing_left_behind():
            call = ledger.stub.IngestEvents(iter(requests), metadata=who())
            answers = [answer async for answer in call]
            await other_calls(ledger)
        assert [answer.refused.reason for answer in answers[1:]] == [
            errors_pb2.ERROR_REASON_KIND_UNKNOWN,
            errors_pb2.ERROR_REASON_REVISION_CONFLICT,
        ]
