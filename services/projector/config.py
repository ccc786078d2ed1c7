"""The settings of a projector process, read from the environment here and nowhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.runtime.settings import Settings
from services.runtime.vault import MasterKeys


@dataclass(frozen=True, slots=True)
class ProjectorConfig:
    """What a projector process needs to know.

    `nats_url` None: everything is read from the ledger. `stream_replicas`: copies of the
    attention streams it makes. `drain_notice_s` is how long callers are given to notice NOT_SERVING
    before new calls are refused, `drain_grace_s` how long those under way may take then.
    """

    views_dsn: str
    vault_dsn: str
    master_keys: MasterKeys
    ledger_target: str
    listen: tuple[str, int] = ("127.0.0.1", 0)
    metrics_listen: tuple[str, int] = ("127.0.0.1", 0)
    nats_url: str | None = None
    stream_replicas: int = 1
    ready_file: Path | None = None
    drain_notice_s: float = 1.0
    drain_grace_s: float = 10.0
    log_level: str = "info"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "ProjectorConfig":
        """From RAPPORT_ variables; SettingsError names the first that is missing or malformed."""
        settings = Settings(os.environ if env is None else env)
        return cls(
            views_dsn=settings.required(
                "RAPPORT_VIEWS_DSN", "a login in the group role rapport_projector"
            ),
            vault_dsn=settings.required(
                "RAPPORT_VAULT_DSN", "a login in the group role rapport_vault_reader"
            ),
            master_keys=settings.master_keys(),
            ledger_target=settings.optional("RAPPORT_LEDGER_TARGET") or "127.0.0.1:50051",
            listen=settings.address("RAPPORT_PROJECTOR_LISTEN", "127.0.0.1:50052"),
            metrics_listen=settings.address("RAPPORT_PROJECTOR_METRICS_LISTEN", "127.0.0.1:9102"),
            nats_url=settings.optional("RAPPORT_NATS_URL"),
            stream_replicas=int(settings.number("RAPPORT_STREAM_REPLICAS", 1, 1, 5)),
            ready_file=settings.path("RAPPORT_READY_FILE"),
            drain_notice_s=settings.number("RAPPORT_DRAIN_NOTICE_S", 1.0, 0, 60),
            drain_grace_s=settings.number("RAPPORT_DRAIN_GRACE_S", 10.0, 0, 600),
            log_level=settings.optional("RAPPORT_LOG_LEVEL") or "info",
        )


def owner_dsn(env: Mapping[str, str] | None = None) -> str:
    """The DSN of the schema's owner, for migrations alone; no service is given it."""
    settings = Settings(os.environ if env is None else env)
    return settings.required("RAPPORT_POSTGRES_DSN", "the DSN of the schema's owner")
