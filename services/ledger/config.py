"""The settings of a ledger process, read from the environment here and nowhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.runtime.jetstream import Retention
from services.runtime.settings import Settings
from services.runtime.vault import MasterKeys


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """What a ledger process needs to know.

    `nats_url` None: nothing is published, and `rapport.relay` is NOT_SERVING. `stream_retention` is
    what streams keep, None leaves it as it is. `postgres_data` is
    Postgres's data directory where it is on this machine: appends are refused when its disk is
    nearly full. `drain_notice_s` is how long callers are given to notice NOT_SERVING before new
    calls are refused, `drain_grace_s` how long those under way may take then.
    """

    journal_dsn: str
    vault_dsn: str
    master_keys: MasterKeys
    listen: tuple[str, int] = ("127.0.0.1", 0)
    metrics_listen: tuple[str, int] = ("127.0.0.1", 0)
    nats_url: str | None = None
    stream_replicas: int = 1
    stream_retention: Retention | None = None
    ready_file: Path | None = None
    postgres_data: Path | None = None
    drain_notice_s: float = 1.0
    drain_grace_s: float = 10.0
    log_level: str = "info"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "LedgerConfig":
        """From RAPPORT_ variables; SettingsError names the first that is missing or malformed."""
        settings = Settings(os.environ if env is None else env)
        return cls(
            journal_dsn=settings.required(
                "RAPPORT_JOURNAL_DSN", "a login in the group role rapport_ledger"
            ),
            vault_dsn=settings.required(
                "RAPPORT_VAULT_DSN", "a login in the group role rapport_vault"
            ),
            master_keys=settings.master_keys(),
            listen=settings.address("RAPPORT_LEDGER_LISTEN", "127.0.0.1:50051"),
            metrics_listen=settings.address("RAPPORT_LEDGER_METRICS_LISTEN", "127.0.0.1:9101"),
            nats_url=settings.optional("RAPPORT_NATS_URL"),
            stream_replicas=int(settings.number("RAPPORT_STREAM_REPLICAS", 1, 1, 5)),
            stream_retention=_retention(settings),
            ready_file=settings.path("RAPPORT_READY_FILE"),
            postgres_data=settings.path("RAPPORT_POSTGRES_DATA"),
            drain_notice_s=settings.number("RAPPORT_DRAIN_NOTICE_S", 1.0, 0, 60),
            drain_grace_s=settings.number("RAPPORT_DRAIN_GRACE_S", 10.0, 0, 600),
            log_level=settings.optional("RAPPORT_LOG_LEVEL") or "info",
        )


def _retention(settings: Settings) -> Retention | None:
    """What streams keep; None leaves every stream as it is."""
    names = "RAPPORT_STREAM_MAX_AGE_S", "RAPPORT_STREAM_MAX_BYTES"
    if not any(settings.optional(name) for name in names):
        return None
    age, size = (settings.number(name, 0, 0, 2**53) for name in names)
    return Retention(age, int(size))


def owner_dsn(env: Mapping[str, str] | None = None) -> str:
    """The DSN of the schemas' owner, for migrations alone; no service is given it."""
    settings = Settings(os.environ if env is None else env)
    return settings.required("RAPPORT_POSTGRES_DSN", "the DSN of the schemas' owner")
