"""What the environment may say about the embedded stack. The only module here that reads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WITHHELD = ("RAPPORT_", "PG")
"""Beginnings of the variables a service does not inherit: they may hold an admin's credentials."""


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """Settings of `rapport up`; an absent value means the embedded default.

    postgres_dsn: RAPPORT_POSTGRES_DSN, a superuser's or owner's DSN that replaces the embedded
    PostgreSQL. nats_url, nats_admin_url: RAPPORT_NATS_URL and RAPPORT_NATS_ADMIN_URL, which
    replace the embedded NATS. postgres_bin: RAPPORT_PG_BIN, the folder of initdb and postgres.
    nats_bin: RAPPORT_NATS_BIN, the nats-server to run. inherited: what services may see.
    """

    postgres_dsn: str | None
    nats_url: str | None
    nats_admin_url: str | None
    postgres_bin: Path | None
    nats_bin: Path | None
    inherited: Mapping[str, str]

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "LocalConfig":
        """Reads the process environment unless another one is given."""
        env = os.environ if env is None else env
        postgres_bin = env.get("RAPPORT_PG_BIN")
        nats_bin = env.get("RAPPORT_NATS_BIN")
        nats_url = env.get("RAPPORT_NATS_URL") or None
        return cls(
            postgres_dsn=env.get("RAPPORT_POSTGRES_DSN") or None,
            nats_url=nats_url,
            nats_admin_url=env.get("RAPPORT_NATS_ADMIN_URL") or nats_url,
            postgres_bin=Path(postgres_bin) if postgres_bin else None,
            nats_bin=Path(nats_bin) if nats_bin else None,
            inherited={k: v for k, v in env.items() if not k.startswith(WITHHELD)},
        )


def whole_environment() -> dict[str, str]:
    """Everything, for a detached `up`, which is to see what this process saw."""
    return dict(os.environ)
