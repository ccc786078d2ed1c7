"""Where the servers of `rapport up` listen; the other examples ask here."""

import json
import os
from pathlib import Path

_STACK = json.loads(
    (Path(os.environ.get("RAPPORT_DIR", ".rapport")) / "stack.json").read_text(encoding="utf-8")
)

LEDGER: str = _STACK["endpoints"]["ledger"]
PROJECTOR: str = _STACK["endpoints"]["projector"]
NATS_URL: str = _STACK["env"]["RAPPORT_NATS_URL"]
