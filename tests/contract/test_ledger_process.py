"""The ledger as a process of its own: `python -m services.ledger`."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import grpc
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from deploy.local.nats import NatsServer
from services.runtime.vault import MasterKeys
from tests.support.databases import Database
from tests.support.ledger import LedgerUnderTest, touch, until_serving
from tests.support.servers import service_env


async def _ready(path: Path) -> dict[str, int]:
    async with asyncio.timeout(60):
        while not os.path.exists(path):  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.05)
    found: dict[str, int] = json.loads(path.read_text())  # noqa: ASYNC240
    return found


async def test_a_ledger_serves_and_relays_and_stops_on_sigterm_with_nothing_personal_logged(
    database: Database, private_nats: NatsServer, tmp_path: Path
) -> None:
    ready_file = tmp_path / "ready.json"
    dsns = {key: value for key, value in database.env().items() if "POSTGRES" not in key}
    env = {
        **os.environ,
        **service_env(dsns, private_nats),
        "RAPPORT_MASTER_KEY": MasterKeys.generate_line(),
        "RAPPORT_LEDGER_LISTEN": "127.0.0.1:0",
        "RAPPORT_LEDGER_METRICS_LISTEN": "127.0.0.1:0",
        "RAPPORT_READY_FILE": str(ready_file),
        "RAPPORT_DRAIN_NOTICE_S": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "services.ledger", env=env, stdout=PIPE, stderr=PIPE
    )
    try:
        port = (await _ready(ready_file))["grpc"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await until_serving(channel)
            await until_serving(channel, "rapport.relay")
            ledger = LedgerUnderTest(None, channel, pb_grpc.LedgerServiceStub(channel))  # type: ignore[arg-type]
            await ledger.create_tenant()
            assert (await ledger.append(touch(note="a secret"))).last_position == 1
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    assert err == b""
    lines = [json.loads(line) for line in out.decode().splitlines()]
    assert lines[-1]["event"] == "ledger stopped"
    assert not any(line["level"] in ("error", "critical") for line in lines), lines
    for personal in ("people/", "secret", "ann"):
        assert personal not in out.decode()
