"""The vault: keys of everybody personal text is about, and sealing with them."""

from services.runtime.vault.master import MasterKeyError, MasterKeys
from services.runtime.vault.sealing import (
    TENANT_SUBJECT,
    Erased,
    KeyMissing,
    SubjectKeys,
    Tampered,
    open_,
    seal,
)
from services.runtime.vault.store import (
    MIGRATIONS,
    SCHEMA,
    Erasure,
    ErasureResult,
    RotationReport,
    Vault,
)

__all__ = [
    "MIGRATIONS",
    "SCHEMA",
    "TENANT_SUBJECT",
    "Erased",
    "Erasure",
    "ErasureResult",
    "KeyMissing",
    "MasterKeyError",
    "MasterKeys",
    "RotationReport",
    "SubjectKeys",
    "Tampered",
    "Vault",
    "open_",
    "seal",
]
