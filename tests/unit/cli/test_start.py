"""What every command waits for before it begins."""

import subprocess
import sys

HEAVY = {"asyncpg", "cryptography", "nats", "pydantic", "pyarrow", "structlog", "yaml"}


def test_no_command_waits_for_the_drivers_and_parsers_of_another() -> None:
    code = "from rapport.cli.app import build\nbuild()\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"deploy.local.commands", "services.operator.commands", "bench.commands"} <= loaded
    assert not loaded & HEAVY
