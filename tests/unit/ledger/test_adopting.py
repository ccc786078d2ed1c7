"""A policy that does not lint is not adopted; one that was adopted stays adopted."""

import json
from collections.abc import Collection
from typing import Any
from uuid import uuid4

import pytest
from rapport.events.v1 import practice_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.adopting import refuse_uncalibrated
from services.ledger.api.drafts import Draft, Scope, read_batch
from services.runtime.errors import RapportError, Reason
from services.runtime.policy import default_policy


class Stored:
    """A journal that has some event ids, and tells whether it was asked."""

    def __init__(self, *event_ids: str) -> None:
        self.event_ids, self.asked = set(event_ids), 0

    async def get_many(self, tenant: str, event_ids: Collection[str]) -> dict[str, Any]:
        self.asked += 1
        return dict.fromkeys(self.event_ids & set(event_ids))


def adoptions(*severity_two: list[int]) -> list[Draft]:
    """Adoptions of the default policy, at other costs of an incident of severity 2."""
    events = []
    for cost in severity_two:
        document = json.loads(default_policy().canonical_json)
        document["version"] = 2
        document["incident"]["severity"]["2"] = cost
        adopted = practice_pb2.PolicyAdopted(policy_json=json.dumps(document))
        events.append(pb.NewEvent(event_id=str(uuid4()), policy_adopted=adopted))
    return read_batch(events, 100, Scope("acme", "services/crm", 0, lambda kind: True))


async def test_a_new_policy_under_which_an_incident_costs_next_to_nothing_is_refused() -> None:
    drafts = adoptions([-6000, -10000], [-1, -1], [-900000, -900000])

    with pytest.raises(RapportError) as refused:
        await refuse_uncalibrated(Stored(), "acme", drafts)

    named = [(each.field, each.reason) for each in refused.value.violations]
    where = 'policy_adopted.policy_json.incident.severity["2"]'
    assert named == [(f"events[{index}].{where}", Reason.POLICY_INVALID) for index in (1, 2)]


async def test_what_was_adopted_once_answers_as_a_replay_whatever_the_lint_says() -> None:
    drafts = adoptions([-1, -1])
    log = Stored(drafts[0].event_id)

    await refuse_uncalibrated(log, "acme", drafts)

    assert log.asked == 1


async def test_a_policy_that_lints_asks_the_journal_nothing() -> None:
    log = Stored()

    await refuse_uncalibrated(log, "acme", adoptions([-6000, -10000]))

    assert log.asked == 0
