"""The payload types this ledger knows: field, full name, home, and whom their texts are about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.domain.homes import link_home, relationship_home
from services.ledger.domain.targets import Target
from services.runtime.names import tenant_home
from services.runtime.vault import TENANT_SUBJECT

PACKAGE: Final = "rapport.events.v1."
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class PayloadType:
    """What the edge knows of a type.

    `home` is None for Voided, which has its target's. `parties` are all whom the event is between
    or about, `people` those whose keys seal its texts (empty: the tenant's key), `target` the field
    that names an earlier event.
    """

    field: str
    message: type[Message]
    parties: Callable[[Any], tuple[str, ...]]
    home: Callable[[Any, str, str], str] | None
    people: Callable[[Any], tuple[str, ...]]
    target: str | None = None

    @property
    def full_name(self) -> str:
        """The full proto name, as stored."""
        return self.message.DESCRIPTOR.full_name


def _two(message: Any) -> tuple[str, ...]:
    return message.initiator, message.counterpart


def _two_of_correction(message: Any) -> tuple[str, ...]:
    return _two(message.touchpoint)


def _link(message: Any) -> tuple[str, ...]:
    return message.a, message.b


def _affiliation(message: Any) -> tuple[str, ...]:
    return message.person, message.organization


def _one(field: str) -> Callable[[Any], tuple[str, ...]]:
    return lambda message: (getattr(message, field),)


def _nobody(_: Any) -> tuple[str, ...]:
    return ()


def _home_of(field: str) -> Callable[[Any, str, str], str]:
    return lambda message, _tenant, _principal: str(getattr(message, field))


def _of_tenant(_: Any, tenant: str, _principal: str) -> str:
    return tenant_home(tenant)


def _of_principal(_: Any, _tenant: str, principal: str) -> str:
    return principal


def _of_pair(message: Any, _tenant: str, _principal: str) -> str:
    return relationship_home(message.initiator, message.counterpart)


def _of_corrected_pair(message: Any, _tenant: str, _principal: str) -> str:
    return relationship_home(message.touchpoint.initiator, message.touchpoint.counterpart)


def _of_link(message: Any, _tenant: str, _principal: str) -> str:
    return link_home(message.a, message.b)


def _about(field: str, message: type[Message], named_by: str) -> PayloadType:
    return PayloadType(field, message, _one(named_by), _home_of(named_by), _one(named_by))


_P: Final = people_pb2
_T: Final = touchpoint_pb2
TYPES: Final[tuple[PayloadType, ...]] = (
    PayloadType("touchpoint", _T.Touchpoint, _two, _of_pair, _two),
    PayloadType("voided", _T.Voided, _nobody, None, _nobody, "target"),
    PayloadType(
        "corrected",
        _T.Corrected,
        _two_of_correction,
        _of_corrected_pair,
        _two_of_correction,
        "replaces",
    ),
    _about("party_described", _P.PartyDescribed, "party"),
    PayloadType(
        "affiliation_started",
        _P.AffiliationStarted,
        _affiliation,
        _home_of("person"),
        _one("person"),
    ),
    PayloadType(
        "affiliation_ended",
        _P.AffiliationEnded,
        _affiliation,
        _home_of("person"),
        _one("person"),
        "ends",
    ),
    PayloadType("identity_linked", _P.IdentityLinked, _link, _of_link, _link),
    PayloadType("identity_unlinked", _P.IdentityUnlinked, _link, _of_link, _link, "ends"),
    _about("fact_learned", _P.FactLearned, "person"),
    _about("date_noted", _P.DateNoted, "person"),
    _about("signal_observed", _P.SignalObserved, "about"),
    PayloadType("policy_adopted", practice_pb2.PolicyAdopted, _nobody, _of_tenant, _nobody),
    PayloadType("watch_list_saved", practice_pb2.WatchListSaved, _nobody, _of_principal, _nobody),
    PayloadType(
        "attention_answered", practice_pb2.AttentionAnswered, _nobody, _of_principal, _nobody
    ),
)
# Written by EraseSubject only, and answered like the others.
SUBJECT_ERASED: Final = _about("subject_erased", _P.SubjectErased, "subject")

BY_FIELD: Final = {each.field: each for each in TYPES}
BY_NAME: Final = {each.full_name: each for each in (*TYPES, SUBJECT_ERASED)}

_accepted = {f.name for f in pb.NewEvent.DESCRIPTOR.oneofs_by_name["payload"].fields}
assert BY_FIELD.keys() == _accepted, "every payload that can be sent is known here"


def full_type_name(name: str) -> str | None:
    """The full name of a known type given in short or in full; None for others."""
    full = name if name.startswith(PACKAGE) else PACKAGE + name
    return full if full in BY_NAME else None


def target_of(kind: PayloadType, message: Message, home: str) -> Target:
    """An event as another one that names it sees it."""
    people = kind.people(message)
    return Target(kind.full_name, home, frozenset(kind.parties(message)), people)


def subjects_of(people: tuple[str, ...]) -> tuple[str, ...]:
    """Whose keys seal a text about `people`: the tenant's own key when there are none."""
    return people or (TENANT_SUBJECT,)
