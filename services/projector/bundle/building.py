"""Putting a bundle together. Pure: what goes in, when and under which key the caller says.

The form is that of rapport.bundle, which reads and checks it.
"""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rapport.bundle import DATES, EVENTS, MANIFEST, PEOPLE, SIGNATURE, File, Manifest, signed_bytes
from rapport.cli.event_output import event_document
from rapport.v1 import ledger_service_pb2 as ledger

from services.projector.bundle.parties import (
    BundleDate,
    BundleParty,
    calendar_of,
    cards_of,
)

# Where the ledger put it says nothing to another one.
_PLACE: Final = frozenset({"position", "home", "revision", "journal", "tenant"})
# The proof that somebody's texts are gone is the ledger's alone: nobody else can append it.
_NOT_PORTABLE: Final = frozenset({"subject_erased", None})
# What is nothing without its text.
_NEEDED_TEXT: Final = {"FactLearned": "text", "DateNoted": "label"}
# The archive's time of its files: the same content makes the same bytes.
_ARCHIVE_TIME: Final = (1980, 1, 1, 0, 0, 0)


def build_bundle(
    person: str,
    events: Iterable[ledger.Event],
    parties: Sequence[BundleParty],
    dates: Sequence[BundleDate],
    signing_key: Ed25519PrivateKey,
    *,
    made_at: datetime,
) -> bytes:
    """The bytes of a bundle, the same for the same input.

    person: `people/{id}`, whose it is. events: in the order to append them again, opened for that
    person. Texts that are erased or withheld are left out of them; so are, as a whole, those that
    are nothing without such a text, SubjectErased and types unknown here. parties, dates: as that
    person may see them. made_at: with a zone; part of what is signed.
    """
    lines = [json.dumps(document, ensure_ascii=False) for document in _portable(events)]
    contents = {
        EVENTS: ("".join(line + "\n" for line in lines).encode(), len(lines)),
        PEOPLE: (cards_of(parties, dates), len(parties)),
        DATES: (calendar_of(parties, dates, made_at=made_at), len(dates)),
    }
    manifest = Manifest(
        person=person,
        made_at=made_at,
        public_key=signing_key.public_key().public_bytes_raw(),
        files=tuple(
            File(name, len(content), hashlib.sha256(content).hexdigest(), records)
            for name, (content, records) in contents.items()
        ),
    ).encoded()
    signature = base64.b64encode(signing_key.sign(signed_bytes(manifest))) + b"\n"
    files = {MANIFEST: manifest, SIGNATURE: signature}
    files |= {name: content for name, (content, _) in contents.items()}
    return _archive(files)


def _archive(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _ARCHIVE_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            archive.writestr(info, content)
    return made.getvalue()


def _portable(events: Iterable[ledger.Event]) -> Iterator[dict[str, Any]]:
    for event in events:
        if event.WhichOneof("payload") in _NOT_PORTABLE:
            continue
        document = event_document(event)
        kept = _without_gone({key: document[key] for key in document if key not in _PLACE})
        if _NEEDED_TEXT.get(document["type"], "type") in kept:
            yield kept


def _without_gone(value: Any) -> Any:
    """The value without the texts in it that cannot be read (any more)."""
    if isinstance(value, dict):
        return {key: _without_gone(part) for key, part in value.items() if not _is_gone(part)}
    return value


def _is_gone(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("erased") or value.get("withheld"))
