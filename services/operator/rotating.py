"""Rotation of the master key: `rapport keys rotate`."""

from dataclasses import dataclass

from services.operator import connecting
from services.operator.config import Installation
from services.runtime.vault.store import Vault


@dataclass(frozen=True, slots=True)
class Rotated:
    """The master key that wraps now; how many keys were wrapped again, and how many cannot be."""

    current: str
    rewrapped: int
    unreadable: dict[str, int]


async def rotate(installation: Installation) -> Rotated:
    """Wrap every key under the current master key; texts stay as they are.

    Stopped half-way it goes on when called again. Raises Usage, Unavailable.
    """
    master_keys = installation.master_keys()
    async with connecting.pool(installation.vault_dsn, "RAPPORT_VAULT_DSN") as vault_pool:
        report = await Vault(vault_pool, master_keys).rotate()
    return Rotated(master_keys.current_id, report.rewrapped, report.unreadable)
