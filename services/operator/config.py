"""How an operator's command reaches an installation: from its folder, or from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.local.errors import StackError
from deploy.local.state import StackState
from services.operator.outcomes import Unavailable, Usage

if TYPE_CHECKING:
    from services.runtime.vault.master import MasterKeys

_ANY_OF: Final = ("RAPPORT_POSTGRES_DSN", "RAPPORT_JOURNAL_DSN", "RAPPORT_VIEWS_DSN")


@dataclass(frozen=True, slots=True)
class Installation:
    """The addresses and secrets of one installation; empty where nothing was given.

    `owner_dsn` is the admin's (RAPPORT_POSTGRES_DSN); the DSNs of schemas are their services'
    logins and fall back to it. `directory` is the folder of `rapport up`, None without one.
    """

    owner_dsn: str
    journal_dsn: str
    vault_dsn: str
    views_dsn: str
    nats_url: str
    nats_admin_url: str
    master_key: str
    master_key_file: str
    directory: Path | None = None

    @classmethod
    def find(cls, directory: Path) -> "Installation":
        """The installation `rapport up` keeps in `directory`; where nothing was ever up, the one
        that the RAPPORT_ variables of the environment name. Raises Usage."""
        try:
            state = StackState.load(directory)
        except StackError as error:
            raise Usage(str(error)) from error
        if state is not None:
            return cls.from_mapping(state.env, directory)
        if not any(name in os.environ for name in _ANY_OF):
            raise Usage(
                f"nothing was ever up in {directory}: name the folder with --dir, or set "
                "RAPPORT_POSTGRES_DSN and RAPPORT_NATS_URL"
            )
        return cls.from_mapping(os.environ)

    @classmethod
    def from_mapping(
        cls, variables: Mapping[str, str], directory: Path | None = None
    ) -> "Installation":
        """From RAPPORT_ variables."""
        owner = variables.get("RAPPORT_POSTGRES_DSN", "")
        nats_url = variables.get("RAPPORT_NATS_URL", "")
        return cls(
            owner_dsn=owner,
            journal_dsn=variables.get("RAPPORT_JOURNAL_DSN", owner),
            vault_dsn=variables.get("RAPPORT_VAULT_DSN", owner),
            views_dsn=variables.get("RAPPORT_VIEWS_DSN", owner),
            nats_url=nats_url,
            nats_admin_url=variables.get("RAPPORT_NATS_ADMIN_URL", nats_url),
            master_key=variables.get("RAPPORT_MASTER_KEY", ""),
            master_key_file=variables.get("RAPPORT_MASTER_KEY_FILE", ""),
            directory=directory,
        )

    def master_keys(self) -> "MasterKeys":
        """The master keys, read now. Raises Usage when none are given or they cannot be used."""
        from services.runtime.vault.master import MasterKeyError, MasterKeys

        text = self.master_key
        if self.master_key_file:
            try:
                text = Path(self.master_key_file).read_text(encoding="utf-8")
            except OSError as error:
                raise Unavailable(
                    f"cannot read the master key file {self.master_key_file}: {error.strerror}"
                ) from error
        if not text:
            raise Usage("no master key: set RAPPORT_MASTER_KEY_FILE or RAPPORT_MASTER_KEY")
        try:
            return MasterKeys.from_text(text)
        except MasterKeyError as error:
            raise Usage(f"master key: {error}") from error
