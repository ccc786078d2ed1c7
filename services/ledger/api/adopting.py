"""Policies that are to be adopted: what they say must be calibrated, not only readable.

Only new ones are asked: what was recorded stays recorded, is read as it is, and sent again answers
as the replay it is.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from rapport.events.v1 import practice_pb2

from services.ledger.api.drafts import Draft
from services.ledger.domain.events import StoredEvent
from services.runtime.errors import Reason, Violation, invalid
from services.runtime.policy import Policy
from services.runtime.policy.lint import calibration_faults


class StoredLog(Protocol):
    """What this needs of the journal."""

    async def get_many(self, tenant: str, event_ids: Collection[str]) -> dict[str, StoredEvent]: ...


async def refuse_uncalibrated(log: StoredLog, tenant: str, drafts: Sequence[Draft]) -> None:
    """POLICY_INVALID, with the paths into the documents, for new policies that do not lint."""
    wrong: dict[str, list[Violation]] = {}
    for draft in drafts:
        if isinstance(draft.payload, practice_pb2.PolicyAdopted):
            inside = f"{draft.path}.{draft.kind_of.field}.policy_json"
            faults = calibration_faults(Policy.parse_json(draft.payload.policy_json))
            wrong[draft.event_id] = [
                Violation(f"{inside}.{path}", text, Reason.POLICY_INVALID) for path, text in faults
            ]
    faulty = [event_id for event_id, violations in wrong.items() if violations]
    if not faulty:
        return
    stored = await log.get_many(tenant, faulty)
    found = [each for event_id in faulty if event_id not in stored for each in wrong[event_id]]
    if found:
        raise invalid(found)
