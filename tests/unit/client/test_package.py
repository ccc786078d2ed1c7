"""What importing the package brings along."""

import subprocess
import sys

import rapport
import rapport.events


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_client_needs_neither_the_command_line_nor_the_servers() -> None:
    loaded = loaded_by("from rapport import *\nfrom rapport.events import *")
    assert "rapport.client" in loaded
    assert not loaded & {"typer", "rich", "pydantic", "yaml", "asyncpg", "services", "deploy"}


def test_the_generated_messages_bring_no_client() -> None:
    assert not loaded_by("from rapport.v1 import ledger_service_pb2") & {"grpc", "nats"}


def test_every_public_name_is_there() -> None:
    for module in (rapport, rapport.events):
        for name in module.__all__:
            assert getattr(module, name).__doc__
            assert name in dir(module)
