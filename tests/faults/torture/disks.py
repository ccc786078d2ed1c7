"""Disks that can be full: small file systems of their own, where this process may mount any."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

BALLAST: Final = "ballast"
_PIECE_BYTES: Final = 16 << 20
_LAST_BYTES: Final = 4096
_MOUNT: Final = shutil.which("mount")
_UMOUNT: Final = shutil.which("umount")


class SmallDisk:
    """A file system of its own that can be filled up at once and emptied again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._ballast = directory / BALLAST

    def fill(self, leave_bytes: int = 0) -> None:
        """Take what is free, but for so much."""
        found = os.statvfs(self.directory)
        size = found.f_bavail * found.f_frsize - leave_bytes
        # Others write meanwhile, so that what was free may not be any more.
        with self._ballast.open("ab") as file, suppress(OSError):
            while size > _PIECE_BYTES:
                os.posix_fallocate(file.fileno(), file.tell(), _PIECE_BYTES)
                file.seek(0, os.SEEK_END)
                size -= _PIECE_BYTES
            while leave_bytes == 0:
                file.write(bytes(_LAST_BYTES))
                file.flush()

    def empty(self) -> None:
        """Give it all back."""
        self._ballast.unlink(missing_ok=True)


def why_no_disks() -> str | None:
    """Why no file system can be mounted here; None where it can."""
    if _MOUNT is None or _UMOUNT is None:
        return "no `mount` on this machine"
    if os.geteuid() != 0:
        return "only root may mount a small file system"
    try:
        with tempfile.TemporaryDirectory() as directory, small_disk(Path(directory), 1 << 20):
            return None
    except (OSError, subprocess.CalledProcessError):
        return "this machine lets nobody mount a file system"


@contextmanager
def small_disk(directory: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """A tmpfs of that size on an empty directory; what was written to it goes with it."""
    assert _MOUNT is not None
    assert _UMOUNT is not None
    options = f"size={size_bytes},mode=0711"
    command = [_MOUNT, "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield SmallDisk(directory)
    finally:
        # Lazily: a process that is just ending may still have a file open.
        subprocess.run([_UMOUNT, "-l", str(directory)], check=True, capture_output=True)
