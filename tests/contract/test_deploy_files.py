"""The files for real servers parse, and name only settings that exist."""

import configparser
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from deploy.local.nats import find_nats_server
from deploy.local.postgres import PostgresServer
from deploy.local.provision import LOGIN_PARTS, with_database, with_login
from deploy.local.service import LEDGER, PROJECTOR
from deploy.migrate import prepare
from tests.support.databases import present_parts

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
VARIABLE = re.compile(r"\bRAPPORT_[A-Z][A-Z_]*[A-Z]\b")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
ENV_FILES = sorted((DEPLOY / "systemd").glob("*.env"))


# Only where PostgreSQL is on the ledger's own machine, as in the stack of `rapport up`.
SAME_MACHINE = {"RAPPORT_POSTGRES_DATA"}


def known_variables() -> set[str]:
    """Every variable the code names."""
    sources = [*(ROOT / "services").rglob("*.py"), *DEPLOY.rglob("*.py")]
    return {name for path in sources for name in VARIABLE.findall(path.read_text())}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
    return loaded


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",)
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


@pytest.mark.parametrize(
    "path",
    [DEPLOY / "compose/compose.yaml", DEPLOY / "postgres/README.md", *UNITS, *ENV_FILES],
    ids=lambda path: path.name,
)
def test_every_variable_named_is_one_the_code_knows(path: Path) -> None:
    assert set(VARIABLE.findall(path.read_text())) <= known_variables()


def test_compose_gives_each_service_what_the_stack_gives_it() -> None:
    services = compose()["services"]
    for spec in (LEDGER, PROJECTOR):
        given = services[spec.name]["environment"]
        assert set(given) == {*spec.settings, spec.listen, spec.metrics_listen} - SAME_MACHINE
        assert services[spec.name]["command"][-1] == spec.module


def test_compose_publishes_on_loopback_only_while_nobody_is_authenticated() -> None:
    services = compose()["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_starts_nothing_before_what_it_needs() -> None:
    services = compose()["services"]
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("ledger", "projector"):
        needed = services[name]["depends_on"]
        assert set(needed) & {"migrate", "ledger"}
        assert set(needed) <= set(services)


def test_every_password_of_compose_is_in_the_example() -> None:
    wanted = re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose/compose.yaml").read_text())
    example = re.findall(r"^([A-Z_]+)=$", (DEPLOY / "compose/example.env").read_text(), re.M)
    assert set(wanted) == set(example)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_module_that_exists_with_few_rights(path: Path) -> None:
    parsed = unit(path)
    service = parsed["Service"]
    module = service["ExecStart"].split(" -m ")[1].split()[0]
    assert (ROOT / module.replace(".", "/")).exists() or (
        ROOT / (module.replace(".", "/") + ".py")
    ).exists()
    for switch in ("NoNewPrivileges", "DynamicUser", "ProtectHome", "PrivateTmp"):
        assert service[switch] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert "master.key" in service.get("LoadCredential", "master.key")
    assert (DEPLOY / "systemd" / Path(service["EnvironmentFile"]).name).exists()


@pytest.mark.parametrize("spec", [LEDGER, PROJECTOR], ids=lambda spec: spec.name)
def test_a_units_environment_is_what_the_stack_gives_the_service(spec: Any) -> None:
    text = (DEPLOY / f"systemd/{spec.name}.env").read_text()
    given = set(re.findall(r"^(RAPPORT_[A-Z_]+)=", text, re.M)) | {"RAPPORT_MASTER_KEY_FILE"}
    assert given == {*spec.settings, spec.listen, spec.metrics_listen} - SAME_MACHINE


def test_the_nats_configuration_is_valid() -> None:
    answer = subprocess.run(
        [find_nats_server(), "-t", "-c", DEPLOY / "nats/nats.conf"],
        env={**os.environ, "NATS_PASSWORD": "one", "NATS_ADMIN_PASSWORD": "two"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


async def test_an_owner_without_rights_over_roles_migrates_what_roles_sql_prepared(
    private_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.migrate.SCHEMA_PARTS", present_parts())
    conn = await asyncpg.connect(private_postgres.dsn)
    lines = (DEPLOY / "postgres/roles.sql").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    for statement in filter(str.strip, text.split(";")):
        await conn.execute(statement)
    users = re.findall(r"CREATE ROLE (\w+) LOGIN", text)
    for user in users:
        await conn.execute(f"ALTER ROLE {user} PASSWORD 'one'")
    await conn.close()
    server = with_database(private_postgres.dsn, "rapport")
    owner = with_login(server, "rapport_owner", "one")
    applied = await prepare({"RAPPORT_POSTGRES_DSN": owner}, logins=False)
    assert {label.split("/")[0] for label in applied} == {part.schema for part in present_parts()}
    groups = {part.group for part in LOGIN_PARTS}
    for user in users:
        conn = await asyncpg.connect(with_login(server, user, "one"))
        member = (
            "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND pg_has_role(oid, 'USAGE')"
        )
        found = [row["rolname"] for row in await conn.fetch(member, list(groups))]
        assert len(found) == (0 if user == "rapport_owner" else 1)
        await conn.close()
