"""`stack.json`: what an installation is, kept in its folder, readable by its owner alone."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.files import write_private
from deploy.local.process import ProcessIdentity

FILE_NAME = "stack.json"
FORMAT = 1


@dataclass(slots=True)
class StackState:
    """One installation of `rapport up`.

    installation: eight hex digits, part of its login names. ready: whether everything was up when
    this was written. env: RAPPORT_ variables by which the CLI and operator commands reach it, the
    admin's DSN included. endpoints: `host:port` by name (`ledger`, `ledger_metrics`, `projector`,
    `projector_metrics`) and URLs (`nats_monitoring`). passwords: of its logins, by name.
    postgres_home: where the embedded cluster is; None until there is one. processes: by part.
    supervisor: the `up` that watches over them.
    """

    installation: str
    ready: bool = False
    env: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    postgres_home: str | None = None
    processes: dict[str, ProcessIdentity] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    supervisor: ProcessIdentity | None = None

    def save(self, directory: Path) -> None:
        """Replaces `stack.json` atomically, mode 0600."""
        document = {"format": FORMAT, **asdict(self)}
        write_private(directory / FILE_NAME, json.dumps(document, indent=2) + "\n")

    @classmethod
    def load(cls, directory: Path) -> "StackState | None":
        """What `directory` holds; None when nothing was ever up there.

        Raises StackError for a file this version cannot read.
        """
        path = directory / FILE_NAME
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StackError(f"cannot read {path}: {error}") from error
        if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
            raise StackError(f"{path} was written by another version of rapport")
        try:
            return cls._parse(document)
        except (KeyError, TypeError) as error:
            raise StackError(f"{path} is damaged: {error!r}") from error

    @classmethod
    def _parse(cls, document: Mapping[str, Any]) -> "StackState":
        values = dict(document)
        values["processes"] = {
            name: ProcessIdentity(**identity) for name, identity in values["processes"].items()
        }
        if values["supervisor"] is not None:
            values["supervisor"] = ProcessIdentity(**values["supervisor"])
        return cls(**values)
