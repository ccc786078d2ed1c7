"""A policy: the numbers that balances are computed with, named, versioned and hashed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final

import rfc8785
from pydantic import ValidationError

from services.runtime.policy import document as sections
from services.runtime.policy.errors import Fault, PolicyError, path_of
from services.runtime.policy.text import Plain, plain_from_text
from services.runtime.policy.words import INCIDENT, RECOVERY

_EPOCH: Final = date(2000, 1, 1)
HASH_HEX_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A valid policy. Two are equal when their documents are, key order and spacing aside.

    `canonical_json` is the document as RFC 8785 JSON, `hash` the first 16 hex digits of the
    SHA-256 of its UTF-8, `effective_from` a day (integer, since 2000-01-01).
    """

    document: sections.Document
    canonical_json: str
    hash: str
    effective_from: int

    @staticmethod
    def parse(text: str) -> "Policy":
        """The policy written as JSON or YAML in `text`; PolicyError says everything wrong."""
        return _policy(plain_from_text(text))

    @staticmethod
    def parse_json(text: str) -> "Policy":
        """The policy written as JSON in `text`, as PolicyAdopted carries it; else PolicyError."""
        return _policy(plain_from_text(text, json_only=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.canonical_json == other.canonical_json

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def name(self) -> str:
        """The name its author gave it."""
        return self.document.policy

    @property
    def version(self) -> int:
        """The version its author gave it, from 1."""
        return self.document.version

    @property
    def label(self) -> str:
        """`name@version#hash`, what every balance says it was computed with."""
        return f"{self.name}@{self.version}#{self.hash}"

    @property
    def kinds(self) -> Mapping[str, sections.Kind]:
        """The kinds of touchpoints it knows, by name; not to be changed."""
        return self.document.kinds

    @property
    def factors(self) -> sections.Factors:
        """Factors of rules 2 to 4."""
        return self.document.factors

    @property
    def saturation(self) -> Mapping[str, sections.SaturationGroup]:
        """Saturation groups by name; not to be changed."""
        return self.document.saturation

    @property
    def incident(self) -> sections.Incident:
        """What incidents cost and recovery refunds."""
        return self.document.incident

    @property
    def buffer(self) -> sections.Buffer:
        """How KNOW counts towards the buffer."""
        return self.document.buffer

    @property
    def tiers(self) -> Mapping[str, sections.Tier]:
        """Tiers by name; not to be changed."""
        return self.document.tiers

    @property
    def channels(self) -> Mapping[str, int]:
        """The rung of the closeness ladder by channel; not to be changed."""
        return self.document.channels

    @property
    def measures(self) -> sections.Measures:
        """Windows and thresholds of the derived measures."""
        return self.document.measures

    @property
    def attention(self) -> sections.Attention:
        """When a relationship wants looking after."""
        return self.document.attention


@cache
def default_policy() -> Policy:
    """The built-in `default@1`, which never changes."""
    text = resources.files(__package__).joinpath("default.yaml").read_text(encoding="utf-8")
    return Policy.parse(text)


def _policy(plain: dict[str, Plain]) -> Policy:
    try:
        document = sections.Document.model_validate(plain)
    except ValidationError as error:
        raise PolicyError([_fault(item) for item in error.errors()]) from None
    faults = [*_date_faults(document), *_kind_faults(document), *_order_faults(document)]
    if faults:
        raise PolicyError(faults)
    canonical = rfc8785.dumps(plain)
    return Policy(
        document=document,
        canonical_json=canonical.decode(),
        hash=hashlib.sha256(canonical).hexdigest()[:HASH_HEX_DIGITS],
        effective_from=(date.fromisoformat(document.effective_from) - _EPOCH).days,
    )


def _fault(error: Any) -> Fault:
    parts: Sequence[str | int] = error["loc"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "no such key"
    # Pydantic marks a fault of the key itself with this last part.
    if parts and parts[-1] == "[key]":
        parts, message = parts[:-1], f"as a key: {message}"
    return Fault(path_of(parts), message)


def _date_faults(document: sections.Document) -> list[Fault]:
    try:
        date.fromisoformat(document.effective_from)
    except ValueError:
        return [Fault("effective_from", "no day of the calendar")]
    return []


def _kind_faults(document: sections.Document) -> list[Fault]:
    faults = []
    for name, kind in document.kinds.items():
        given = kind.model_fields_set
        if name in (INCIDENT, RECOVERY):
            # Their numbers come from the section `incident`; these would have no effect.
            fields = [f for f in ("know", "care", "effort", "saturate") if f in given]
            message = "an incident or recovery has no such number of its own"
        else:
            fields = [f for f in ("know", "care") if f not in given]
            message = "Field required"
        faults += [Fault(path_of(["kinds", name, field]), message) for field in fields]
        if kind.saturate is not None and kind.saturate not in document.saturation:
            faults.append(Fault(path_of(["kinds", name, "saturate"]), "no such saturation group"))
    return faults


def _order_faults(document: sections.Document) -> list[Fault]:
    faults = []
    minutes = [point[0] for point in document.factors.effort_care_by_live_minutes]
    if minutes[0] != 0 or any(a >= b for a, b in pairwise(minutes)):
        faults.append(
            Fault(
                "factors.effort_care_by_live_minutes",
                "minutes start at 0 and rise from point to point",
            )
        )
    for name, tier in document.tiers.items():
        if tier.ideal_days > tier.max_days:
            faults.append(Fault(path_of(["tiers", name]), "ideal_days is beyond max_days"))
    low, high = document.measures.parity.band
    if low > high:
        faults.append(Fault("measures.parity.band", "the lower bound is above the upper one"))
    return faults
