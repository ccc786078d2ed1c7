"""Opening personal texts on the way out, for those who may see them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from rapport.events.v1 import touchpoint_pb2

from services.projector.api.calls import Keys
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import BATCH_EVENTS_MAX
from services.runtime.personal_texts import open_texts, sealed_subjects
from services.runtime.pg import POSTGRES_ERRORS, is_connection_lost
from services.runtime.vault import SubjectKeys

# Whose keys are read at once; a page of a thousand notes about thousands of people takes more.
_SUBJECTS_MAX: Final = BATCH_EVENTS_MAX


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stored payload, decoded: the event it is of, whom that names, and who may read it."""

    message: Message
    event_id: str
    named: tuple[str, ...]
    visible: bool


def may_see(
    touchpoint: touchpoint_pb2.Touchpoint, recorded_by: str, principal: str, *, internal: bool
) -> bool:
    """Whether a principal may read the texts of a touchpoint that `recorded_by` recorded.

    `internal`: the principal is a person of side INTERNAL. A visibility nobody knows here shows to
    the recorder alone: the texts of a stricter kind to come must not leak from an older reader.
    """
    visibility = touchpoint.visibility
    if principal == recorded_by or visibility in (
        touchpoint_pb2.VISIBILITY_UNSPECIFIED,
        touchpoint_pb2.VISIBILITY_TENANT,
    ):
        return True
    if visibility == touchpoint_pb2.VISIBILITY_PARTIES:
        return internal and principal in (touchpoint.initiator, touchpoint.counterpart)
    return False


async def open_all(keys: Keys, tenant: str, payloads: Sequence[Sealed]) -> None:
    """Open, withhold or mark as erased every text of some payloads, in place.

    One read of keys for a page, but for pages about more than a thousand people. Raises
    UNAVAILABLE when the key store cannot be reached.
    """
    for some, subjects in _groups(payloads):
        found = await _keys_for(keys, tenant, subjects)
        for payload in some:
            open_texts(
                payload.message,
                found,
                tenant=tenant,
                event_id=payload.event_id,
                visible=payload.visible,
                named=payload.named,
            )


def _groups(payloads: Sequence[Sealed]) -> Iterator[tuple[list[Sealed], set[str]]]:
    some: list[Sealed] = []
    subjects: set[str] = set()
    for payload in payloads:
        more = sealed_subjects(payload.message)
        if some and len(subjects | more) > _SUBJECTS_MAX:
            yield some, subjects
            some, subjects = [], set()
        some.append(payload)
        subjects |= more
    if some:
        yield some, subjects


async def _keys_for(keys: Keys, tenant: str, subjects: set[str]) -> SubjectKeys:
    try:
        return await keys.keys_for(tenant, subjects, create=False)
    except POSTGRES_ERRORS as error:
        if not is_connection_lost(error):
            raise
        raise RapportError(Reason.UNAVAILABLE, "the key store cannot be reached; retry") from error
