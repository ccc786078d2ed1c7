"""Tenants, journals, pages, health and the life of the process."""

import json
import os
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.__main__ import main
from services.ledger.app import running
from services.runtime.vault import MasterKeys
from tests.support.databases import Database
from tests.support.ledger import (
    SERVICE,
    LedgerUnderTest,
    config_of,
    ledger_on,
    metrics_of,
    told,
    touch,
    until_serving,
    who,
)

ADMIN = who(None, SERVICE)


@pytest.fixture
async def ledger(database: Database) -> Any:
    async with ledger_on(database) as started:
        yield started


async def test_a_tenant_is_pinned_to_its_journal_and_created_once(
    ledger: LedgerUnderTest,
) -> None:
    await ledger.stub.CreateJournal(pb.CreateJournalRequest(journal="second"), metadata=ADMIN)
    request = pb.CreateTenantRequest(tenant="t", journal="second")
    first = await ledger.stub.CreateTenant(request, metadata=ADMIN)
    assert (first.created, first.tenant.journal) == (True, "second")
    again = await ledger.stub.CreateTenant(request, metadata=ADMIN)
    assert (again.created, again.tenant) == (False, first.tenant)
    answer = await ledger.append(touch(), tenant="t")
    assert (answer.journal, answer.last_position) == ("second", 1)


async def test_tenants_and_journals_are_listed_by_name_in_pages(ledger: LedgerUnderTest) -> None:
    for name in ("c", "a", "b", "d", "e"):
        await ledger.create_tenant(name)
        await ledger.stub.CreateJournal(pb.CreateJournalRequest(journal=name), metadata=ADMIN)
    token, seen = "", []
    while True:
        request = pb.ListTenantsRequest(page_size=2, page_token=token)
        page = await ledger.stub.ListTenants(request, metadata=ADMIN)
        seen.append([t.tenant for t in page.tenants])
        token = page.next_page_token
        if not token:
            break
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    journals = await ledger.stub.ListJournals(pb.ListJournalsRequest(), metadata=ADMIN)
    assert [j.journal for j in journals.journals] == ["a", "b", "c", "d", "e", "main"]
    assert len({j.incarnation for j in journals.journals}) == 6
    exact = pb.ListJournalsRequest(page_size=6)
    assert not (await ledger.stub.ListJournals(exact, metadata=ADMIN)).next_page_token


async def test_a_page_token_is_good_for_its_own_request_alone(ledger: LedgerUnderTest) -> None:
    for name in ("a", "b"):
        await ledger.create_tenant(name)
    page = await ledger.stub.ListTenants(pb.ListTenantsRequest(page_size=1), metadata=ADMIN)
    token = page.next_page_token
    other = pb.ListJournalsRequest(page_token=token)
    assert (await told(ledger.stub.ListJournals(other, metadata=ADMIN))).fields == ["page_token"]
    for broken in (token[:-1], token + "A", "é", "=" * 5000, token.swapcase()):
        request = pb.ListTenantsRequest(page_token=broken)
        refusal = await told(ledger.stub.ListTenants(request, metadata=ADMIN))
        assert refusal.reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("size", [-1, 1001])
async def test_a_page_size_is_0_to_1000(ledger: LedgerUnderTest, size: int) -> None:
    refusal = await told(
        ledger.stub.ListTenants(pb.ListTenantsRequest(page_size=size), metadata=ADMIN)
    )
    assert (refusal.reason, refusal.fields) == ("OUT_OF_RANGE", ["page_size"])


async def test_wrong_names_are_refused(ledger: LedgerUnderTest) -> None:
    call = ledger.stub.CreateTenant(pb.CreateTenantRequest(tenant="A", journal="J"), metadata=ADMIN)
    assert (await told(call)).fields == ["tenant", "journal"]
    call = ledger.stub.CreateJournal(pb.CreateJournalRequest(), metadata=ADMIN)
    assert (await told(call)).reason == "FIELD_REQUIRED"


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("CreateTenant", pb.CreateTenantRequest(tenant="t")),
        ("ListTenants", pb.ListTenantsRequest()),
        ("CreateJournal", pb.CreateJournalRequest(journal="j")),
        ("ListJournals", pb.ListJournalsRequest()),
    ],
)
async def test_tenants_and_journals_are_a_matter_of_services(
    ledger: LedgerUnderTest, method: str, request_: Any
) -> None:
    refusal = await told(getattr(ledger.stub, method)(request_, metadata=who()))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "SERVICE_PRINCIPAL_REQUIRED",
    )


async def test_health_and_reflection_need_no_caller(ledger: LedgerUnderTest) -> None:
    health = health_pb2_grpc.HealthStub(ledger.channel)
    for name, status in (("", 1), ("rapport.v1.LedgerService", 1), ("rapport.relay", 2)):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == status
    reflection = reflection_pb2_grpc.ServerReflectionStub(ledger.channel)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [a async for a in reflection.ServerReflectionInfo(iter([ask]))]
    names = {s.name for s in answers[0].list_services_response.service}
    assert "rapport.v1.LedgerService" in names


async def test_a_ledger_is_ready_only_on_a_migrated_schema(database: Database) -> None:
    owner = await asyncpg.connect(database.admin_dsn)
    rows = await owner.fetch("DELETE FROM vault.schema_migrations RETURNING *")
    config = config_of(database, MasterKeys.from_text(MasterKeys.generate_line()))
    async with running(config) as process:
        assert process is not None
        async with grpc.aio.insecure_channel(f"127.0.0.1:{process.port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
            await owner.copy_records_to_table(
                "schema_migrations", schema_name="vault", records=rows
            )
            await until_serving(channel)
    await owner.close()


async def test_metrics_count_appends_groups_heads_and_refusals(ledger: LedgerUnderTest) -> None:
    await ledger.create_tenant()
    event = touch()
    await ledger.append(event, touch())
    await ledger.append(event)
    await told(ledger.append(touch(kind="nope")))
    samples = dict(line.rsplit(" ", 1) for line in metrics_of(ledger))
    assert samples["rapport_appended_events_total"] == "2.0"
    assert samples["rapport_replayed_events_total"] == "1.0"
    assert samples['rapport_journal_head{journal="main"}'] == "2.0"
    assert samples['rapport_refusals_total{reason="KIND_UNKNOWN"}'] == "1.0"
    assert samples["rapport_append_seconds_count"] == "2.0"
    assert samples['rapport_group_events_sum{journal="main"}'] == "2.0"


async def test_a_ready_file_says_where_it_listens(database: Database, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    async with ledger_on(database, ready_file=ready) as ledger:
        said = json.loads(ready.read_text())
        assert said["grpc"] == ledger.process.port
        assert said["metrics"] == ledger.process.metrics_port
    assert sorted(os.listdir(tmp_path)) == ["ready.json"]


def test_a_missing_setting_is_named_without_any_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_JOURNAL_DSN", "postgresql://x:secret@127.0.0.1/y")
    monkeypatch.delenv("RAPPORT_VAULT_DSN", raising=False)
    assert main([]) == 1
    told_on_stderr = capsys.readouterr().err
    assert "RAPPORT_VAULT_DSN" in told_on_stderr
    assert "secret" not in told_on_stderr
    assert main(["dance"]) == 2


def test_migrating_again_does_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_POSTGRES_DSN", database.admin_dsn)
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == ""
