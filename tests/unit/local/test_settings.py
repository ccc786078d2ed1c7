"""What the environment says, and what services are told."""

from pathlib import Path

import pytest

from deploy.local.config import LocalConfig
from deploy.local.errors import StackError
from deploy.local.postgres import PostgresServer
from deploy.local.provision import LOGIN_PARTS, with_database, with_login
from deploy.local.service import LEDGER, PROJECTOR
from deploy.local.stack import Stack
from deploy.local.state import StackState
from deploy.migrate import named_logins


def test_without_variables_everything_is_embedded() -> None:
    config = LocalConfig.from_env({})
    assert config == LocalConfig(None, None, None, None, None, {})


def test_an_empty_variable_is_an_absent_one() -> None:
    config = LocalConfig.from_env({"RAPPORT_POSTGRES_DSN": "", "RAPPORT_NATS_URL": ""})
    assert config.postgres_dsn is None
    assert config.nats_url is None


def test_the_admin_of_nats_is_the_user_of_nats_unless_named() -> None:
    assert LocalConfig.from_env({"RAPPORT_NATS_URL": "nats://a"}).nats_admin_url == "nats://a"
    named = {"RAPPORT_NATS_URL": "nats://a", "RAPPORT_NATS_ADMIN_URL": "nats://b"}
    assert LocalConfig.from_env(named).nats_admin_url == "nats://b"


def test_services_inherit_no_credentials_of_the_callers() -> None:
    config = LocalConfig.from_env(
        {"PATH": "/bin", "RAPPORT_POSTGRES_DSN": "x", "PGPASSWORD": "y", "RAPPORT_PG_BIN": "/b"}
    )
    assert config.inherited == {"PATH": "/bin"}
    assert config.postgres_bin == Path("/b")


def test_no_service_is_given_the_owners_dsn_or_the_admin_of_nats() -> None:
    for spec in (LEDGER, PROJECTOR):
        given = {*spec.settings.keys(), *spec.settings.values()}
        assert not given & {"RAPPORT_POSTGRES_DSN", "RAPPORT_NATS_ADMIN_URL"}


def test_a_ledger_watches_the_disk_of_the_embedded_postgres_alone(tmp_path: Path) -> None:
    postgres = PostgresServer(tmp_path / "postgres")
    config = LocalConfig.from_env({"RAPPORT_POSTGRES_DSN": "postgresql://db/rapport"})
    stack = Stack(tmp_path, config)
    state = StackState(
        "0" * 8, passwords=dict.fromkeys((part.name for part in LOGIN_PARTS), "secret")
    )
    stack.use_postgres(state, postgres.dsn_of("rapport"), postgres.data)
    assert LEDGER.settings["RAPPORT_POSTGRES_DATA"] == "RAPPORT_POSTGRES_DATA"
    assert state.env["RAPPORT_POSTGRES_DATA"] == str(tmp_path / "postgres" / "data")
    stack.use_postgres(state, "postgresql://db/rapport", None)
    assert not state.env["RAPPORT_POSTGRES_DATA"]


def test_a_projector_reads_the_key_store_as_a_reader() -> None:
    assert PROJECTOR.settings["RAPPORT_VAULT_DSN"] == "RAPPORT_VAULT_READER_DSN"


def test_a_dsn_keeps_its_server_and_options_when_login_or_database_change() -> None:
    dsn = "postgresql://owner:p%40ss@db:5433/rapport?sslmode=require&user=owner&password=old"
    changed = with_login(dsn, "re@der", "a/b")
    assert changed == "postgresql://re%40der:a%2Fb@db:5433/rapport?sslmode=require"
    assert with_database(dsn, "other").startswith("postgresql://owner:p%40ss@db:5433/other?")


def test_logins_are_made_as_their_dsns_name_them() -> None:
    logins = named_logins({"RAPPORT_VAULT_DSN": "postgresql://me:p%40ss@db/rapport"})
    assert [(login.user, login.password, login.group) for login in logins] == [
        ("me", "p@ss", "rapport_vault")
    ]
    with pytest.raises(StackError, match="RAPPORT_VAULT_DSN names no user and password"):
        named_logins({"RAPPORT_VAULT_DSN": "postgresql://db/rapport"})
