"""PolicyService over real gRPC and real Postgres: lists, lint and differences on real history."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import policy_service_pb2 as wire
from rapport.v1.policy_service_pb2_grpc import PolicyServiceStub

from services.runtime.policy import default_policy
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import Running, adopt, caller, date_of, running_projector, touch, void

TODAY = "2026-06-01T09:00:00Z"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


def document(
    version: int = 1, effective_from: str = "2026-01-01", *, call: int = 4000, like: int = 1000
) -> str:
    """The default under another name, with other numbers for KNOW of a call and CARE of a like."""
    made = json.loads(default_policy().canonical_json)
    made |= {"policy": "ours", "version": version, "effective_from": effective_from}
    made["kinds"]["call"]["know"] = call
    made["kinds"]["social.like"]["care"] = like
    return json.dumps(made)


def stub(projector: Running) -> Any:
    return PolicyServiceStub(projector.channel)


async def policies(projector: Running) -> list[wire.AdoptedPolicy]:
    answer = await stub(projector).ListPolicies(wire.ListPoliciesRequest(), metadata=caller())
    return list(answer.policies)


async def lint(projector: Running, text: str) -> wire.LintPolicyResponse:
    answer: wire.LintPolicyResponse = await stub(projector).LintPolicy(
        wire.LintPolicyRequest(policy_json=text), metadata=caller()
    )
    return answer


async def diff(projector: Running, **request: Any) -> wire.DiffPolicyResponse:
    as_of = request.pop("as_of", {})
    answer: wire.DiffPolicyResponse = await stub(projector).DiffPolicy(
        wire.DiffPolicyRequest(**request, as_of=capital.AsOf(**as_of)), metadata=caller()
    )
    return answer


async def test_policies_stand_by_effective_day_and_say_which_is_in_force(
    projector: Running,
) -> None:
    (built_in,) = await policies(projector)
    assert (built_in.policy.name, built_in.event_id, built_in.in_force) == ("default", "", True)
    later = await projector.add(adopt(document(3, "2027-01-01")))
    first = await projector.add(adopt(document(1)))
    again = await projector.add(adopt(document(1)))
    taken_back = await projector.add(adopt(document(2, "2026-05-01")))
    await projector.add(void(taken_back))
    await projector.settle()
    found = await policies(projector)
    assert [(each.policy.version, each.event_id, each.position) for each in found] == [
        (1, "", 0),
        (1, first, 2),
        (1, again, 3),
        (3, later, 1),
    ]
    assert [each.in_force for each in found] == [False, False, True, False]
    assert found[3].policy.effective_from == date_of("2027-01-01")
    assert json.loads(found[3].policy.policy_json)["policy"] == "ours"


async def test_lint_says_what_is_wrong_without_adopting(projector: Running) -> None:
    fine = await lint(projector, document(7))
    assert not any(each.fatal for each in fine.findings)
    assert fine.policy.startswith("ours@7#")
    unknown = json.loads(document())
    unknown["kinds"]["call"]["knowledge"] = 1
    found = await lint(projector, json.dumps(unknown))
    assert [(each.path, each.fatal) for each in found.findings] == [("kinds.call.knowledge", True)]
    assert found.policy == ""
    cheap = json.loads(document())
    cheap["incident"]["severity"]["2"] = [-100, -100]
    found = await lint(projector, json.dumps(cheap))
    assert found.findings[0].fatal
    assert "severity 2 costs 200 mp" in found.findings[0].message
    assert found.policy
    assert len(await policies(projector)) == 1


@pytest.mark.parametrize(("text", "reason"), [("", "FIELD_REQUIRED"), ("x" * 131_073, "TOO_LARGE")])
async def test_lint_of_no_document_is_refused(projector: Running, text: str, reason: str) -> None:
    error = await refused(lint(projector, text))
    assert (error.reason, error.violations[0].field) == (reason, "policy_json")


async def _history(projector: Running) -> None:
    """Two calls between a and b, one between a and c with a like, a thank-you between b and c."""
    await projector.add(touch("a", "b", "call"), TODAY)
    await projector.add(touch("b", "a", "call"), TODAY)
    await projector.add(touch("a", "c", "call"), TODAY)
    await projector.add(touch("a", "c", "social.like"), TODAY)
    await projector.add(touch("b", "c", "thanks.given"), TODAY)
    await projector.settle()


async def test_a_diff_says_who_moves_by_how_much_and_why(projector: Running) -> None:
    await _history(projector)
    found = await diff(projector, policy_json=document(2, call=8000, like=2000))
    assert (found.relationships, found.moved) == (3, 2)
    assert found.other.startswith("ours@2#")
    assert found.computed.policy.startswith("default@1#")
    ab, ac = found.moves
    # Two calls: KNOW 8000 -> 16000, buffer 8000 + 2000 -> 8000 + 4000.
    assert ab.relationship == "relationships/a~b"
    assert (ab.before.know_mp, ab.after.know_mp) == (8000, 16000)
    assert (ab.before.buffer_mp, ab.after.buffer_mp) == (10000, 12000)
    assert dict(ab.by_kind) == {"call": 8000}
    # KNOW 4000 -> 8000, CARE 5000 -> 6000, buffer 6000 -> 8000: as much as a and b, by pair.
    assert (ac.before.buffer_mp, ac.after.buffer_mp) == (6000, 8000)
    assert (ac.after.care_mp, dict(ac.by_kind)) == (6000, {"call": 4000, "social.like": 1000})
    (most,) = (await diff(projector, policy_json=document(2, call=8000), limit=1)).moves
    assert most.relationship == "relationships/a~b"
    only_c = await diff(projector, policy_json=document(2, like=9000), person="people/c")
    assert (only_c.relationships, [move.relationship for move in only_c.moves]) == (
        2,
        ["relationships/a~c"],
    )


async def test_a_known_policy_is_compared_by_its_name(projector: Running) -> None:
    await _history(projector)
    await projector.add(adopt(document(1, call=8000)))
    await projector.settle()
    found = await diff(projector, policy="default@1")
    assert found.computed.policy.startswith("ours@1#")
    assert [move.after.know_mp - move.before.know_mp for move in found.moves] == [-8000, -4000]
    same = await diff(projector, policy="ours@1")
    assert (same.relationships, same.moved, len(same.moves)) == (3, 0, 0)
    # The day before, nothing had happened.
    before = await diff(projector, policy="default@1", as_of={"on": date_of("2026-05-31")})
    assert (before.relationships, before.moved) == (0, 0)


@pytest.mark.parametrize(
    ("request_fields", "reason", "field"),
    [
        ({}, "FIELD_REQUIRED", "policy_json"),
        ({"policy_json": "{}"}, "POLICY_INVALID", "policy_json.kinds"),
        ({"policy": "ours"}, "FIELD_MALFORMED", "policy"),
        ({"policy": "ours@4"}, "POLICY_UNKNOWN", "policy"),
        ({"policy": "default@1", "limit": 1001}, "OUT_OF_RANGE", "limit"),
        ({"policy": "default@1", "person": "teams/red"}, "FIELD_MALFORMED", "person"),
    ],
)
async def test_a_wrong_question_is_refused_by_its_path(
    projector: Running, request_fields: dict[str, Any], reason: str, field: str
) -> None:
    error = await refused(diff(projector, **request_fields))
    assert error.reason == reason
    assert field in [each.field for each in error.violations]
