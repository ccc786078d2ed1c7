"""What a run was made with: told beside every figure."""

import asyncio
import importlib.metadata
import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import nats

from bench.stack import BenchStack

ROOT = Path(__file__).resolve().parent.parent


async def described() -> dict[str, Any]:
    """The machine, the versions, what the server itself says of fsync, the date, the commit."""
    load = os.getloadavg()[0]
    async with BenchStack() as stack:
        conn = await asyncpg.connect(stack.dsn)
        try:
            postgres = await conn.fetchval("SHOW server_version")
            fsync = await conn.fetchval("SHOW fsync")
            durable = await conn.fetchval("SHOW synchronous_commit")
        finally:
            await conn.close()
        client = await nats.connect(stack.nats_admin_url)
        version = client.connected_server_version
        await client.close()
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgres": postgres,
        "fsync": fsync,
        "synchronous_commit": durable,
        "nats": f"{version.major}.{version.minor}.{version.patch}",
        "grpcio": importlib.metadata.version("grpcio"),
        "load_average": round(load, 2),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": await asyncio.to_thread(_commit),
    }


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.strip() or "unknown"
