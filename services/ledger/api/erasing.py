"""EraseSubject: the key is destroyed first, then the proof is recorded.

In between the process may die: `reconcile` brings journal and key store together again. It also
applies erasures to a key store that was restored from an older backup, and proofs to a journal
that was.
"""

from typing import Final
from uuid import UUID, uuid5

from rapport.events.v1 import people_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.drafts import Draft
from services.ledger.api.failures import event_id_taken, told
from services.ledger.api.parts import Parts
from services.ledger.api.presenting import appended_event, timestamp
from services.ledger.api.types import SUBJECT_ERASED
from services.ledger.domain.events import Recorded, StoredEvent, TenantRow
from services.runtime.caller import Caller
from services.runtime.errors import RapportError, Reason, invalid
from services.runtime.logs import get_logger
from services.runtime.names import parse_event_id, parse_party
from services.runtime.payloads import rules
from services.runtime.payloads.checking import Found, add
from services.runtime.payloads.rules import REQUIRED
from services.runtime.vault import Erasure

_log = get_logger(__name__)

_party: Final = rules.named(parse_party)
_event_id: Final = rules.named(parse_event_id)
# Who records the proofs that a stop in between left out.
_RECONCILER: Final = "services/ledger"


async def erase_subject(
    parts: Parts, caller: Caller, request: pb.EraseSubjectRequest
) -> pb.EraseSubjectResponse:
    """Erase a person or organisation; repeated, it answers with the first erasure."""
    found: Found = []
    add(found, "subject", _party(request.subject) if request.subject else REQUIRED)
    add(found, "event_id", _event_id(request.event_id) if request.event_id else REQUIRED)
    if found:
        raise invalid(found)
    tenant = await parts.tenant_of(caller)
    stored = await parts.journal.get(tenant.tenant, request.event_id)
    if stored is not None and stored.type != SUBJECT_ERASED.full_name:
        raise event_id_taken(stored.event_id, stored.position, "type")
    if stored is not None and stored.home != request.subject:
        raise event_id_taken(stored.event_id, stored.position, "subject_erased.subject")
    with told(writing=True):
        result = await parts.vault.erase(tenant.tenant, request.subject, UUID(request.event_id))
    try:
        with told(writing=True):
            recorded = await _record_proof(parts, tenant, caller, result.erasure)
    except RapportError as error:
        if error.retry_after_ms is None:
            raise
        raise RapportError(
            Reason.OUTCOME_UNKNOWN,
            "the key is destroyed, the proof is not recorded yet: send the same request again",
        ) from error
    return pb.EraseSubjectResponse(
        journal=tenant.journal, event=appended_event(recorded, timestamp(recorded.recorded_at_us))
    )


async def reconcile(parts: Parts) -> int:
    """Every SubjectErased has its key destroyed, every erased subject its SubjectErased.

    Answers how many were put right. Safe to run on any number of replicas at once.
    """
    await parts.vault.reapply_erasures()
    listed = {(each.tenant, each.subject): each async for each in parts.vault.erased()}
    proven: set[tuple[str, str]] = set()
    fixed = 0
    for journal in await parts.journal.journal_names():
        async for event in parts.journal.erasures(journal):
            subject = (event.tenant, event.home)
            proven.add(subject)
            if subject not in listed:
                await parts.vault.erase(event.tenant, event.home, UUID(event.event_id))
                fixed += 1
    caller = Caller(tenant=None, principal=_RECONCILER, verified=True)
    for subject, erasure in listed.items():
        if subject in proven:
            continue
        tenant = await parts.journal.tenant(erasure.tenant)
        if tenant is None:
            _log.warning(
                "the tenant of an erased subject is not in the journal", tenant=erasure.tenant
            )
            continue
        await _record_proof(parts, tenant, caller, erasure)
        fixed += 1
    if fixed:
        _log.warning("erasures were put right", count=fixed)
    return fixed


async def _record_proof(
    parts: Parts, tenant: TenantRow, caller: Caller, erasure: Erasure
) -> Recorded:
    # The id of the first erasure; if something else took it before the proof was recorded, one
    # derived from it.
    first, position = erasure.event_id, 0
    for event_id in (str(first), str(uuid5(first, erasure.subject))):
        stored = await parts.journal.get(tenant.tenant, event_id)
        if stored is None:
            draft = _draft(event_id, erasure)
            (recorded,) = await parts.recorder.record(
                tenant.journal, tenant.tenant, caller, [draft]
            )
            return recorded
        if stored.type == SUBJECT_ERASED.full_name and stored.home == erasure.subject:
            return _replayed(stored)
        position = stored.position
    raise event_id_taken(str(first), position, "type")


def _draft(event_id: str, erasure: Erasure) -> Draft:
    payload = people_pb2.SubjectErased(
        subject=erasure.subject, erased_at=timestamp(erasure.erased_at_us)
    )
    return Draft(
        path="",
        event_id=event_id,
        kind_of=SUBJECT_ERASED,
        payload=payload,
        kind=None,
        home=erasure.subject,
        people=(erasure.subject,),
    )


def _replayed(stored: StoredEvent) -> Recorded:
    return Recorded(
        stored.event_id,
        stored.position,
        stored.home,
        stored.revision,
        True,
        stored.recorded_at_us,
        stored.occurred_at_us,
    )
