"""Sealing personal texts where they enter, and comparing them with what was sealed before."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from services.ledger.api.compare import first_difference
from services.ledger.api.drafts import Draft
from services.ledger.api.types import subjects_of
from services.ledger.domain.events import StoredEvent
from services.ledger.domain.targets import VOIDED
from services.runtime.errors import RapportError, Reason, Violation
from services.runtime.personal_texts import personal_texts, sealed_subjects
from services.runtime.vault import Erasure, ErasureResult, SubjectKeys, seal

# Subjects in one question to the vault; below what it takes.
_SUBJECTS_MAX: Final = 10_000


class Keys(Protocol):
    """What the edge needs of the vault."""

    async def keys_for(self, tenant: str, subjects: Iterable[str], create: bool) -> SubjectKeys: ...

    async def erase(self, tenant: str, subject: str, event_id: UUID) -> ErasureResult: ...

    def erased(self, tenant: str | None = None) -> AsyncIterator[Erasure]: ...

    async def reapply_erasures(self) -> int: ...


class Sealer:
    """Seals, with keys read for one call and kept for no other."""

    def __init__(self, vault: Keys) -> None:
        self._vault = vault

    async def seal(
        self, tenant: str, drafts: Sequence[Draft], sealed: dict[str, Any]
    ) -> list[tuple[Draft, str, str]]:
        """Put a sealed copy of each draft's payload into `sealed`, by event id.

        Keys that are missing are made. Answers with the texts that cannot be sealed because
        somebody they are about was erased: draft, path of the text, subject; those drafts get no
        copy.
        """
        refused: list[tuple[Draft, str, str]] = []
        for part in _parts(drafts):
            subjects = {s for draft in part for s in _all_subjects(draft)}
            keys = await self._vault.keys_for(tenant, subjects, create=True)
            for draft in part:
                erased = _erased(draft, keys)
                if erased:
                    refused += erased
                else:
                    sealed[draft.event_id] = _sealed_copy(draft, keys, tenant)
        return refused

    async def first_difference(self, tenant: str, draft: Draft, stored: StoredEvent) -> str | None:
        """Where a draft differs from the stored event of its id; None: it is a replay.

        The path is relative to the event. A text is sealed again for whom it was sealed then; it is
        not compared once one of their keys is gone.
        """
        if draft.type != stored.type:
            return "type"
        if draft.schema_version != stored.schema_version:
            return "schema_version"
        if draft.occurred_at_us is not None and draft.occurred_at_us != stored.occurred_at_us:
            return "occurred_at"
        before = draft.kind_of.message()
        before.ParseFromString(stored.payload)
        subjects = sealed_subjects(before)
        keys = await self._vault.keys_for(tenant, subjects, create=False)
        field = draft.kind_of.field

        def compare_texts(path: str, sent: Any, was: Any) -> str | None:
            return _text_difference(draft, keys, tenant, path, sent, was)

        below = first_difference(draft.payload, before, compare_texts)
        return None if below is None else f"{field}.{below}"


def _parts(drafts: Sequence[Draft]) -> Iterable[list[Draft]]:
    part: list[Draft] = []
    count = 0
    for draft in drafts:
        more = len(_all_subjects(draft))
        if part and count + more > _SUBJECTS_MAX:
            yield part
            part, count = [], 0
        part.append(draft)
        count += more
    if part:
        yield part


def _all_subjects(draft: Draft) -> set[str]:
    return {s for _, text in draft.texts for s in (*subjects_of(draft.people), *text.data_subjects)}


def _erased(draft: Draft, keys: SubjectKeys) -> list[tuple[Draft, str, str]]:
    return [
        (draft, path, subject)
        for path, text in draft.texts
        for subject in keys.erased_among({*subjects_of(draft.people), *text.data_subjects})
    ]


def _sealed_copy(draft: Draft, keys: SubjectKeys, tenant: str) -> Any:
    copy = draft.kind_of.message()
    copy.CopyFrom(draft.payload)
    event_id = UUID(draft.event_id)
    for path, text in personal_texts(copy):
        subjects = sorted({*subjects_of(draft.people), *text.data_subjects})
        text.sealed = seal(keys, subjects, tenant, event_id, path, text.text)
        text.sealed_for[:] = subjects
        text.ClearField("text")
        text.ClearField("data_subjects")
    return copy


def _text_difference(
    draft: Draft, keys: SubjectKeys, tenant: str, path: str, sent: Any, stored: Any
) -> str | None:
    then = set(stored.sealed_for)
    now = {*subjects_of(draft.people), *sent.data_subjects}
    # A reason is sealed for what was known of the target when it was recorded.
    same = then >= set(sent.data_subjects) if draft.type == VOIDED else then == now
    if not same:
        return "data_subjects"
    if not then or not keys.has_all(then):
        return None
    again = seal(keys, sorted(then), tenant, UUID(draft.event_id), path, sent.text)
    return None if again == stored.sealed else "text"


def erased_error(refused: Sequence[tuple[Draft, str, str]]) -> RapportError:
    """SUBJECT_IS_ERASED for texts that cannot be sealed any more; at least one."""
    _, _, subject = refused[0]
    return RapportError(
        Reason.SUBJECT_IS_ERASED,
        "a text is about somebody who was erased; nothing personal is taken about them again",
        metadata={"subject": subject},
        violations=[
            Violation(
                f"{draft.path}.{draft.kind_of.field}.{path}",
                "is about somebody who was erased",
                Reason.SUBJECT_IS_ERASED,
                {"subject": who},
            )
            for draft, path, who in refused
        ],
    )
