"""The portable bundle: what a person takes along of the own relationships. Read and checked here.

A ZIP archive of

    manifest.json   format, person, made_at, public_key; name, bytes, SHA-256, records of each file
    manifest.sig    Ed25519 (RFC 8032) over FORMAT, a line break and the manifest's bytes; base64
    events.jsonl    events in the form of `rapport append FILE`, one a line
    people.vcf      who they are, vCard 4 (RFC 6350)
    dates.ics       the days that matter to them, iCalendar (RFC 5545)

The key in the manifest proves that nothing was changed since it was signed; that it was signed by
somebody in particular only a key known from elsewhere proves. Needs the extra `rapport[cli]`.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT: Final = "rapport-bundle/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
EVENTS: Final = "events.jsonl"
PEOPLE: Final = "people.vcf"
DATES: Final = "dates.ics"

MANIFEST_BYTES_MAX: Final = 64 * 1024
# What is unpacked altogether: an archive can promise more than any disk holds.
UNPACKED_BYTES_MAX: Final = 4 * 1024**3
# An event takes 256 KiB as the ledger keeps it; as JSON with escapes it can be several times that.
LINE_BYTES_MAX: Final = 2 * 1024 * 1024

_CHUNK_BYTES: Final = 256 * 1024


class BundleError(ValueError):
    """A bundle that is none, was changed, or was signed by somebody else."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a bundle: bytes unpacked, SHA-256 in hex, how many records it has."""

    name: str
    size_bytes: int
    sha256: str
    records: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says about itself. public_key: 32 bytes."""

    person: str
    made_at: datetime
    public_key: bytes
    files: tuple[File, ...]

    @property
    def key(self) -> str:
        """The public key as text, to be compared and to be given as a known one."""
        return base64.urlsafe_b64encode(self.public_key).decode().rstrip("=")

    def encoded(self) -> bytes:
        """The bytes of manifest.json."""
        document = {
            "format": FORMAT,
            "person": self.person,
            "made_at": self.made_at.isoformat(),
            "public_key": self.key,
            "files": [
                {
                    "name": file.name,
                    "bytes": file.size_bytes,
                    "sha256": file.sha256,
                    "records": file.records,
                }
                for file in self.files
            ],
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def signed_bytes(manifest: bytes) -> bytes:
    """What is signed: a signature of a bundle's manifest is none of anything else."""
    return FORMAT.encode() + b"\n" + manifest


class Bundle:
    """A bundle whose signature and files were checked when it was opened. A context manager.

    key: the public key (`Manifest.key`) it must have been signed with. Absent: any.
    Raises BundleError; nothing of a bundle is to be believed then.
    """

    def __init__(self, path: Path, *, key: str | None = None) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise BundleError(f"{path} cannot be read: {error}") from error
        try:
            self.manifest = self._checked(key)
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archive.close()

    def open(self, name: str) -> IO[bytes]:
        """A file of the bundle, to be read once."""
        return self._archive.open(name)

    def events(self) -> Iterator[tuple[int, Any]]:
        """(line from 1, JSON document) of every event; None for a line that is no JSON."""
        with self.open(EVENTS) as file:
            number = 0
            while line := file.readline(LINE_BYTES_MAX + 1):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise BundleError(
                        f"{EVENTS}, line {number}: longer than {LINE_BYTES_MAX} bytes"
                    )
                try:
                    yield number, json.loads(line)
                except ValueError:
                    yield number, None

    def _checked(self, key: str | None) -> Manifest:
        names = self._archive.namelist()
        if names.count(MANIFEST) != 1 or names.count(SIGNATURE) != 1:
            raise BundleError("no bundle: it has no manifest with a signature")
        encoded = self._small(MANIFEST)
        manifest = read_manifest(encoded)
        if key is not None and key.rstrip("=") != manifest.key:
            raise BundleError(f"signed with another key than the one given: {manifest.key}")
        try:
            signature = base64.b64decode(self._small(SIGNATURE), validate=False)
            public = Ed25519PublicKey.from_public_bytes(manifest.public_key)
            public.verify(signature, signed_bytes(encoded))
        except (ValueError, InvalidSignature):
            raise BundleError("the signature is not that of the manifest") from None
        told = [file.name for file in manifest.files]
        if sorted(names) != sorted([MANIFEST, SIGNATURE, *told]) or EVENTS not in told:
            raise BundleError("the archive has not exactly the files of its manifest")
        if sum(file.size_bytes for file in manifest.files) > UNPACKED_BYTES_MAX:
            raise BundleError(f"larger than {UNPACKED_BYTES_MAX} bytes")
        for file in manifest.files:
            self._check(file)
        return manifest

    def _check(self, file: File) -> None:
        """Never unpacks more than the manifest promises."""
        digest, read = hashlib.sha256(), 0
        try:
            if self._archive.getinfo(file.name).file_size == file.size_bytes:
                with self._archive.open(file.name) as content:
                    while chunk := content.read(_CHUNK_BYTES):
                        read += len(chunk)
                        digest.update(chunk)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise BundleError(f"{file.name} cannot be unpacked: {error}") from error
        if (read, digest.hexdigest()) != (file.size_bytes, file.sha256):
            raise BundleError(f"{file.name} is not what was signed")

    def _small(self, name: str) -> bytes:
        if self._archive.getinfo(name).file_size > MANIFEST_BYTES_MAX:
            raise BundleError(f"{name}: larger than {MANIFEST_BYTES_MAX} bytes")
        try:
            return self._archive.read(name)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise BundleError(f"{name} cannot be unpacked: {error}") from error


def read_manifest(encoded: bytes) -> Manifest:
    """The manifest of its bytes. Raises BundleError."""
    try:
        document = json.loads(encoded)
        if document["format"] != FORMAT:
            raise BundleError(f"of the format {document['format']!r}, not {FORMAT}")
        return Manifest(
            person=str(document["person"]),
            made_at=datetime.fromisoformat(document["made_at"]),
            public_key=base64.urlsafe_b64decode(document["public_key"] + "=="),
            files=tuple(
                File(
                    name=str(file["name"]),
                    size_bytes=int(file["bytes"]),
                    sha256=str(file["sha256"]),
                    records=int(file["records"]),
                )
                for file in document["files"]
            ),
        )
    except BundleError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{MANIFEST} cannot be read: {error!r}") from None
