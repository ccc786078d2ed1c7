"""The doctor finds every difference that is planted, and names it; and finds none where none is."""

import io
import json
import secrets
from collections.abc import AsyncIterator

import asyncpg
import nats
import pytest
import typer
from nats.js.api import StreamConfig
from rich.console import Console
from typer.testing import CliRunner

from services.ledger.journal.store import Journal
from services.ledger.relay.message import message_of
from services.ledger.relay.stream import EventStream
from services.operator.commands import register
from services.operator.config import Installation
from services.operator.doctor.examination import examine
from services.operator.doctor.output import rendered
from services.operator.doctor.report import Difference, Report, Verdict
from services.operator.outcomes import Refused
from services.runtime import streams
from services.runtime.jetstream import EXPECTED_LAST_SEQUENCE
from tests.support.databases import Database, DatabaseFactory
from tests.support.operated import ANN, DAN, TENANT, Operated
from tests.support.servers import NatsEndpoint

STORY_EVENTS = 16


@pytest.fixture
async def operated(database: Database, nats_server: NatsEndpoint) -> AsyncIterator[Operated]:
    journal = await Journal.connect(database.journal_dsn)
    await journal.start()
    name = f"j-{secrets.token_hex(6)}"
    await journal.create_journal(name)
    await journal.create_tenant(TENANT, name)
    made = Operated(database, nats_server, journal, name)
    yield made
    await journal.close()
    await made.forget_stream()


async def examined(operated: Operated, *, deep: bool = True) -> Report:
    return await examine(operated.installation, journal=operated.name, deep=deep, patience_s=0.0)


def found(report: Report) -> tuple[str, Difference]:
    assert report.exit_code == 4
    first = report.first
    assert first is not None
    assert first[1].difference is not None
    return first[1].name, first[1].difference


async def test_a_journal_with_everything_derived_from_it_is_clean(operated: Operated) -> None:
    await operated.everything()
    report = await examined(operated)
    assert report.first is None, str(report.document())
    assert report.exit_code == 0
    checks = {check.name: check for _, check in report.checks()}
    assert {check.verdict for check in checks.values()} == {Verdict.CLEAN}
    assert checks["journal"].facts["head"] == STORY_EVENTS
    assert checks["stream"].facts["compared"] == STORY_EVENTS
    assert checks["stream"].facts["sha256"] == checks["journal"].facts["sha256"]
    assert checks["events of the read models"].facts["compared"] == STORY_EVENTS
    assert checks["balances and standings"].facts["touchpoints"] == 8
    assert checks["key store"].facts["erased"] == 1


async def test_an_empty_journal_is_clean_once_it_has_a_stream(operated: Operated) -> None:
    await operated.publish()
    assert (await examined(operated)).exit_code == 0


async def test_quick_compares_heads_counts_and_the_last_message(operated: Operated) -> None:
    await operated.everything()
    report = await examined(operated, deep=False)
    assert report.exit_code == 0, str(report.document())
    assert {check.name for _, check in report.checks()} == {
        "journal",
        "stream",
        "read models",
        "parked events",
        "key store",
    }


async def test_appends_that_go_on_meanwhile_are_no_difference(operated: Operated) -> None:
    await operated.everything()
    await operated.touch(ANN, DAN, "call", "2026-03-01T10:00")
    await operated.publish()
    name, difference = found(await examined(operated))
    assert name == "read models"
    assert difference.what == "the projector is behind the journal and does not get on"
    assert (difference.expected, difference.found) == (STORY_EVENTS + 1, STORY_EVENTS)


# --- The journal with itself ---


async def test_a_changed_payload_is_named_by_its_position(operated: Operated) -> None:
    await operated.everything()
    await operated.owner(
        "UPDATE journal.events SET payload = payload || '\\x00'::bytea"
        f" WHERE journal = '{operated.name}' AND position = 6"
    )
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("journal", 6)
    assert difference.what == "the payload is not what was hashed when it was recorded"


async def test_a_missing_key_is_named(operated: Operated) -> None:
    await operated.everything()
    await operated.owner(
        f"DELETE FROM journal.event_keys WHERE journal = '{operated.name}' AND position = 4"
    )
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("journal", 4)
    assert difference.what == "the event has no key"


async def test_a_hole_in_the_journal_is_named(operated: Operated) -> None:
    await operated.everything()
    await operated.owner(
        f"DELETE FROM journal.events WHERE journal = '{operated.name}' AND position = 5"
    )
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("journal", 5)
    assert difference.what == "there is a key and no event"
    report = await examined(operated, deep=False)
    assert found(report)[1].what == "there are not as many events as positions"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("recorded_at_us = recorded_at_us - 1", "event and key differ in recorded_at"),
        ("home = 'relationships/x~y'", "event and key differ in home"),
        ("revision = 17", "event and key differ in revision"),
    ],
)
async def test_an_event_that_is_not_its_keys_is_named(
    operated: Operated, change: str, what: str
) -> None:
    await operated.everything()
    await operated.owner(
        f"UPDATE journal.events SET {change} WHERE journal = '{operated.name}' AND position = 7"
    )
    name, difference = found(await examined(operated))
    assert (name, difference.position, difference.what) == ("journal", 7, what)


async def test_a_revision_that_is_left_out_is_named(operated: Operated) -> None:
    await operated.everything()
    await operated.owner(
        *(
            f"UPDATE journal.{table} SET revision = 9"
            f" WHERE journal = '{operated.name}' AND position = 3"
            for table in ("events", "event_keys")
        )
    )
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("journal", 3)
    assert difference.what == "the revision does not follow on the one before it"
    assert (difference.expected, difference.found) == (3, 9)


async def test_time_that_goes_back_is_named(operated: Operated) -> None:
    await operated.everything()
    await operated.owner(
        *(
            f"UPDATE journal.{table} SET recorded_at_us = 5"
            f" WHERE journal = '{operated.name}' AND position = 9"
            for table in ("events", "event_keys")
        )
    )
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("journal", 9)
    assert difference.what == "recorded_at is before that of the event before it"


# --- The journal with the stream ---


async def replace(operated: Operated, position: int, **changes: object) -> None:
    """Publish the journal again with one message changed on the way."""
    await operated.forget_stream()
    row = await operated.journal.head(operated.name)
    client = await nats.connect(operated.server.url)
    try:
        stream = EventStream(client, operated.name)
        await stream.ensure()
        messages = [message_of(event, row.incarnation) for event in await operated.events()]
        message = messages[position - 1]
        headers = {**message.headers, **changes.get("headers", {})}  # type: ignore[dict-item]
        body = changes.get("body", message.body)
        subject = changes.get("subject", message.subject)
        messages[position - 1] = type(message)(position, subject, headers, body)  # type: ignore[arg-type]
        await stream.publish(messages)
    finally:
        await client.close()


async def test_a_changed_body_is_named_by_its_sequence(operated: Operated) -> None:
    await operated.everything()
    await replace(operated, 6, body=b"something else")
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("stream", 6)
    assert difference.what == "the body is not the event's payload"


@pytest.mark.parametrize("header", ["ce-id", "ce-position", "ce-incarnation", "ce-tenant"])
async def test_a_changed_header_is_named(operated: Operated, header: str) -> None:
    await operated.everything()
    await replace(operated, STORY_EVENTS, headers={header: "another"})
    for deep in (True, False):
        name, difference = found(await examined(operated, deep=deep))
        assert (name, difference.position) == ("stream", STORY_EVENTS)
        assert difference.what == f"the header {header} differs"
        assert difference.found == "another"


async def test_a_foreign_message_at_the_end_is_a_stream_ahead(operated: Operated) -> None:
    await operated.everything()
    client = await nats.connect(operated.server.url)
    subject = f"rapport.v1.events.{operated.name}.acme.foreign.none"
    await client.jetstream().publish(
        subject, b"who?", headers={EXPECTED_LAST_SEQUENCE: str(STORY_EVENTS)}
    )
    await client.close()
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("stream", STORY_EVENTS + 1)
    assert difference.what == "the stream is ahead of the journal"


async def test_a_hole_in_the_stream_is_named(operated: Operated) -> None:
    await operated.everything()
    await operated.forget_stream()
    client = await nats.connect(operated.server.admin_url)
    name = streams.stream_name(operated.name)
    subjects = [streams.journal_subjects(operated.name)]
    await client.jetstream().add_stream(StreamConfig(name=name, subjects=subjects))
    await operated.publish()
    await client.jetstream().delete_msg(name, 5)
    await client.close()
    check, difference = found(await examined(operated))
    assert (check, difference.position) == ("stream", 5)
    assert difference.what == "the stream holds nothing at this sequence"


async def test_messages_that_aged_out_are_said_and_no_difference(operated: Operated) -> None:
    await operated.everything()
    await operated.forget_stream()
    client = await nats.connect(operated.server.admin_url)
    stream = EventStream(client, operated.name)
    await stream.recreate(11)
    await client.close()
    await operated.publish(await operated.events(11))
    report = await examined(operated)
    assert report.exit_code == 0, str(report.document())
    checks = {check.name: check for _, check in report.checks()}
    assert checks["stream"].notes == ["the stream no longer holds positions up to 10"]
    assert checks["stream"].facts["compared"] == STORY_EVENTS - 10


async def test_a_stream_that_is_behind_or_missing_is_named(operated: Operated) -> None:
    await operated.tell_a_story()
    await operated.project()
    name, difference = found(await examined(operated))
    assert (name, difference.what) == ("stream", "there is no stream")
    await operated.publish((await operated.events())[:10])
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("stream", 11)
    assert difference.what == "the stream is behind the journal and does not get on"


async def test_nats_out_of_reach_is_said_and_the_rest_is_compared(operated: Operated) -> None:
    await operated.everything()
    installation = operated.installation
    elsewhere = type(installation).from_mapping(
        {
            **operated.database.env(),
            "RAPPORT_NATS_URL": "nats://127.0.0.1:1",
            "RAPPORT_MASTER_KEY": installation.master_key,
        }
    )
    report = await examine(elsewhere, journal=operated.name, patience_s=0.0)
    assert report.exit_code == 3
    assert report.first is None
    checks = {check.name: check.verdict for _, check in report.checks()}
    assert checks.pop("stream") is Verdict.UNAVAILABLE
    assert set(checks.values()) == {Verdict.CLEAN}


# --- The journal with the read models ---


async def views(operated: Operated, statement: str) -> None:
    conn = await asyncpg.connect(operated.database.views_dsn)
    try:
        assert await conn.execute(statement) != "UPDATE 0"
    finally:
        await conn.close()


async def test_a_wrong_bucket_is_named_with_its_relationship(operated: Operated) -> None:
    await operated.everything()
    await views(
        operated,
        "UPDATE views.balances SET buckets = replace(buckets, '[', '[1')"
        f" WHERE journal = '{operated.name}' AND a = 'people/ann' AND b = 'people/bob'",
    )
    name, difference = found(await examined(operated))
    assert name == "balances and standings"
    assert difference.what == "balances.buckets is not what the fold gives"
    assert difference.where == "tenant acme, people/ann ~ people/bob"


async def test_a_missing_touchpoint_row_is_named_by_its_position(operated: Operated) -> None:
    await operated.everything()
    await views(
        operated,
        f"DELETE FROM views.touchpoints WHERE journal = '{operated.name}' AND position = 7",
    )
    report = await examined(operated)
    name, difference = found(report)
    assert (name, difference.position) == ("events of the read models", 7)
    assert difference.what == "touchpoints lacks the event"
    skipped = {c.name for _, c in report.checks() if c.verdict is Verdict.SKIPPED}
    assert skipped == {"tenants, policies and links", "parties", "balances and standings"}


@pytest.mark.parametrize(
    ("statement", "check", "what"),
    [
        (
            "UPDATE views.touchpoints SET payload = payload || 'x'::bytea WHERE position = 2",
            "events of the read models",
            "payload_sha256 differs from the journal's",
        ),
        (
            "UPDATE views.touchpoints SET state = 1 WHERE position = 2",
            "balances and standings",
            "touchpoints.state is not how the touchpoint stands",
        ),
        (
            "UPDATE views.touchpoints SET now_kind = 'ask' WHERE position = 6",
            "balances and standings",
            "touchpoints.now_kind is not how the touchpoint stands",
        ),
        (
            "UPDATE views.amendments SET target = event_id WHERE position = 9",
            "events of the read models",
            "details differs from the journal's",
        ),
        (
            "INSERT INTO views.fulfilments SELECT journal, tenant, event_id, position, event_id"
            " FROM views.touchpoints WHERE position = 2",
            "events of the read models",
            "details differs from the journal's",
        ),
        (
            "UPDATE views.standings SET care_mp = care_mp + 1 WHERE b = 'people/bob'",
            "balances and standings",
            "standings.care_mp is not what the fold gives",
        ),
        (
            "UPDATE views.standings SET contact_days = 7 WHERE b = 'people/cat'",
            "balances and standings",
            "standings.contact_days is not what the fold gives",
        ),
        (
            "DELETE FROM views.standings WHERE b = 'people/cat'",
            "balances and standings",
            "standings lacks the pair",
        ),
        (
            "DELETE FROM views.standings WHERE b = 'people/bob'",
            "balances and standings",
            "standings lacks the pair",
        ),
        (
            "UPDATE views.standings SET b = 'people/aaa' WHERE b = 'people/bob'",
            "balances and standings",
            "standings has a pair that nothing was recorded of",
        ),
        (
            "DELETE FROM views.balances WHERE b = 'people/bob'",
            "balances and standings",
            "balances lacks the pair",
        ),
        (
            "UPDATE views.balances SET b = 'people/aaa' WHERE b = 'people/bob'",
            "balances and standings",
            "balances has a pair that nothing was recorded of",
        ),
        (
            "UPDATE views.balances SET contact_days = '{1}' WHERE b = 'people/bob'",
            "balances and standings",
            "balances.contact_days is not what the fold gives",
        ),
        (
            "UPDATE views.parties SET side = 2 WHERE party = 'people/ann'",
            "parties",
            "parties.side is not what the events say",
        ),
        (
            "UPDATE views.parties SET erased = false WHERE party = 'people/dan'",
            "parties",
            "parties.erased is not what the events say",
        ),
        (
            "DELETE FROM views.parties WHERE party = 'people/eve'",
            "parties",
            "parties lacks one whom an event names",
        ),
        (
            "UPDATE views.identities SET canonical = 'people/dan' WHERE person = 'people/cat'",
            "tenants, policies and links",
            "identities has another canonical id",
        ),
        (
            "UPDATE views.tenants SET policy_hash = '0000000000000000'",
            "tenants, policies and links",
            "the tenant's balances are kept for another policy than the one in force",
        ),
        (
            "UPDATE views.ticks SET position = position + 1 WHERE position = 8",
            "events of the read models",
            "ticks does not have this as the last position of its instant",
        ),
        (
            "UPDATE views.checkpoints SET incarnation = gen_random_uuid()",
            "read models",
            "the read models are of another incarnation of the journal: rebuild the views",
        ),
    ],
)
async def test_what_is_changed_in_the_read_models_is_named(
    operated: Operated, statement: str, check: str, what: str
) -> None:
    await operated.everything()
    await views(operated, statement)
    name, difference = found(await examined(operated))
    assert (name, difference.what) == (check, what)


async def test_a_parked_event_is_listed_and_a_difference(operated: Operated) -> None:
    await operated.tell_a_story()
    broken = await operated.record_bytes(b"\xff\xff", "relationships/ann~bob")
    await operated.publish()
    await operated.project()
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("parked events", STORY_EVENTS + 1)
    assert difference.where == f"event {broken}"


# --- The key store ---


async def test_a_key_that_should_be_gone_is_named(operated: Operated) -> None:
    await operated.everything()
    conn = await asyncpg.connect(operated.database.admin_dsn)
    await conn.execute(
        "INSERT INTO vault.subject_keys SELECT tenant, $1, wrapped_key, master_key_id"
        "  FROM vault.subject_keys LIMIT 1",
        DAN,
    )
    await conn.close()
    name, difference = found(await examined(operated))
    assert name == "key store"
    assert difference.what == "a key is there that an erasure destroyed"
    assert difference.where == f"tenant acme, {DAN}"


async def test_an_erasure_that_only_one_side_knows_is_named(operated: Operated) -> None:
    await operated.erase(DAN, destroy=False)
    await operated.publish()
    await operated.project()
    name, difference = found(await examined(operated))
    assert (name, difference.position) == ("key store", 1)
    assert "the key store does not list the erasure" in difference.what
    conn = await asyncpg.connect(operated.database.admin_dsn)
    for subject in (DAN, ANN):
        await conn.execute(
            "INSERT INTO vault.erased_subjects (tenant, subject, event_id)"
            " VALUES ('acme', $1, gen_random_uuid())",
            subject,
        )
    await conn.close()
    name, difference = found(await examined(operated))
    assert name == "key store"
    assert "the journal has no SubjectErased of it" in difference.what
    assert difference.where == f"tenant acme, {ANN}"


async def test_a_master_key_that_is_not_given_is_named(operated: Operated) -> None:
    await operated.everything()
    conn = await asyncpg.connect(operated.database.admin_dsn)
    await conn.execute("UPDATE vault.subject_keys SET master_key_id = 'lost'")
    await conn.close()
    name, difference = found(await examined(operated))
    assert (name, difference.where) == ("key store", "master key lost")


# --- As a command ---


async def test_an_unknown_journal_is_refused(operated: Operated) -> None:
    with pytest.raises(Refused, match="there is no journal nowhere"):
        await examine(operated.installation, journal="nowhere")


async def test_what_was_found_is_printed_for_people_and_as_json(operated: Operated) -> None:
    await operated.everything()
    await operated.owner(
        f"DELETE FROM journal.event_keys WHERE journal = '{operated.name}' AND position = 4"
    )
    report = await examined(operated)
    document = json.loads(json.dumps(report.document()))
    assert document["clean"] is False
    first = document["first_difference"]
    assert (first["journal"], first["name"]) == (operated.name, "journal")
    assert first["difference"]["position"] == 4
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(rendered(report))
    text = console.export_text()
    assert f"First difference: {operated.name}, journal: position 4: the event has no key" in text


def test_a_command_without_an_installation_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("RAPPORT_POSTGRES_DSN", "RAPPORT_JOURNAL_DSN", "RAPPORT_VIEWS_DSN"):
        monkeypatch.delenv(name, raising=False)
    app = typer.Typer()
    register(app)
    for command in (
        ["doctor"],
        ["journal", "restored"],
        ["stream", "rebuild"],
        ["views", "rebuild"],
        ["parked", "list"],
        ["parked", "retry"],
        ["keys", "rotate"],
    ):
        result = CliRunner().invoke(app, [*command, "--dir", str(tmp_path)])
        assert result.exit_code == 2, result.output
        assert "nothing was ever up" in result.output


async def test_a_database_without_schemas_is_refused(
    databases: DatabaseFactory, nats_server: NatsEndpoint
) -> None:
    empty = databases.create(migrated=False)
    try:
        installation = Installation.from_mapping(
            {"RAPPORT_POSTGRES_DSN": empty.admin_dsn, "RAPPORT_NATS_URL": nats_server.url}
        )
        with pytest.raises(Refused, match="is not migrated"):
            await examine(installation)
    finally:
        databases.drop(empty)
