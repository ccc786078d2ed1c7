"""The calls of PolicyService: which policies there are, and what another one would change."""

from typing import TYPE_CHECKING, Unpack

from rapport.connection import Connection
from rapport.ids import person
from rapport.relationship_calls import AsOfOptions
from rapport.times import as_of
from rapport.v1 import policy_service_pb2 as wire

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.policy_service_pb2_grpc import PolicyServiceAsyncStub


class PolicyCalls:
    """Policies. Part of `Rapport`. Adopt one by appending rapport.building.policy_adopted."""

    _projector: Connection
    _policy_stub: "PolicyServiceAsyncStub"

    async def policies(self, **asked: Unpack[AsOfOptions]) -> list[wire.AdoptedPolicy]:
        """The built-in policy and those adopted, by effective day and position."""
        request = wire.ListPoliciesRequest(as_of=as_of(**asked))
        answer = await self._projector.ask(self._policy_stub.ListPolicies, request)
        return list(answer.policies)

    async def lint_policy(self, policy_json: str) -> wire.LintPolicyResponse:
        """What is wrong with a document, fatal findings first."""
        request = wire.LintPolicyRequest(policy_json=policy_json)
        return await self._projector.ask(self._policy_stub.LintPolicy, request)

    async def diff_policy(
        self,
        *,
        policy_json: str | None = None,
        other: str | None = None,
        of: str | None = None,
        limit: int = 0,
        **asked: Unpack[AsOfOptions],
    ) -> wire.DiffPolicyResponse:
        """What another policy would change, on real history: who moves most, and why.

        The other one is a document (`policy_json`) or the `name@version` of a known one (`other`);
        `policy` among what is asked is the one it is compared with. of: only this person's. Errors:
        POLICY_INVALID with the keys at fault, LIST_TOO_WIDE.
        """
        request = wire.DiffPolicyRequest(
            person="" if of is None else person(of),
            limit=limit,
            as_of=as_of(**asked),
        )
        if policy_json is not None:
            request.policy_json = policy_json
        elif other is not None:
            request.policy = other
        return await self._projector.ask(self._policy_stub.DiffPolicy, request)
