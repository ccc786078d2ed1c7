"""Small files that must never be half written or readable by others."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.process import RunAs


def write_private(path: Path, text: str, owner: RunAs | None = None) -> None:
    """Replaces a file atomically: mode 0600, synced before it takes the name, owned by `owner`."""
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if owner is not None:
            os.chown(staged, owner.uid, owner.gid)
        staged.replace(path)
    except BaseException:
        with suppress(OSError):
            staged.unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def make_directory(path: Path, mode: int, owner: RunAs | None = None) -> None:
    """Makes a directory (and its parents) if absent, then sets its mode and owner."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if owner is not None:
            os.chown(path, owner.uid, owner.gid)
        path.chmod(mode)
    except OSError as error:
        raise StackError(f"cannot prepare {path}: {error.strerror or error}") from error


def secret_in(path: Path) -> str:
    """The random secret (256 bits, URL-safe) kept in a file, made on first use."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(32)
        write_private(path, secret + "\n")
        return secret
