"""What the CLI takes from the environment and the folder of `rapport up`. Nothing else reads it."""

import getpass
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rapport.errors import unavailable
from rapport.ids import make_id

STACK_FILE: Final = "stack.json"
LEDGER: Final = "RAPPORT_LEDGER_TARGET"
PROJECTOR: Final = "RAPPORT_PROJECTOR_TARGET"


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the servers listen, `host:port`; projector None: only the ledger is known."""

    ledger: str
    projector: str | None


def find_targets(directory: Path, env: Mapping[str, str] | None = None) -> Targets:
    """RAPPORT_LEDGER_TARGET and RAPPORT_PROJECTOR_TARGET, else what `rapport up` wrote.

    Raises UNAVAILABLE when neither says where the ledger is.
    """
    env = os.environ if env is None else env
    ledger, projector = env.get(LEDGER), env.get(PROJECTOR)
    if not ledger or not projector:
        endpoints = _endpoints(directory / STACK_FILE)
        ledger = ledger or endpoints.get("ledger")
        projector = projector or endpoints.get("projector")
    if not ledger:
        raise unavailable(
            f"nothing is up in {directory}: run `rapport up` there, name its folder with --dir,"
            f" or set {LEDGER} and {PROJECTOR}"
        )
    return Targets(ledger, projector)


def _endpoints(path: Path) -> Mapping[str, str]:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        endpoints = document.get("endpoints", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise unavailable(f"{path} cannot be read: {error}") from error
    return endpoints if isinstance(endpoints, dict) else {}


def default_principal() -> str:
    """`people/{login}`, the login made a valid id."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # no login name and no passwd entry
        login = "nobody"
    return f"people/{make_id(login)}"
