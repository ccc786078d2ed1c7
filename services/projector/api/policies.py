"""PolicyService: which policies there are, and what another one would change."""

from collections.abc import Sequence
from typing import Final

from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import policy_service_pb2 as wire
from rapport.v1.policy_service_pb2_grpc import PolicyServiceServicer

from services.projector.api.answers import (
    computed_message,
    date_message,
    policy_message,
    relationship_name,
)
from services.projector.api.calls import Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.domain.policy_diff import PolicyMove, Stand
from services.projector.queries.policies import KnownPolicy, read_policies, read_policy_diff
from services.projector.queries.question import policy_for
from services.projector.queries.snapshot import Snapshot
from services.runtime.errors import Reason
from services.runtime.limits import (
    PAGE_BYTES_MAX,
    POLICY_BYTES_MAX,
    POLICY_MOVES_DEFAULT,
    POLICY_MOVES_MAX,
)
from services.runtime.policy import Policy
from services.runtime.policy.lint import lint

_KINDS_MAX: Final = 5


class Policies(PolicyServiceServicer):
    """The handlers of PolicyService; errors are RapportErrors, which the edge answers."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._with = dependencies

    async def ListPolicies(  # noqa: N802
        self, request: wire.ListPoliciesRequest, context: Context
    ) -> wire.ListPoliciesResponse:
        """The built-in policy and those adopted, by effective day."""
        as_of, call = await self._with.begin_asked(Fields(), request, context)

        async def work(snapshot: Snapshot) -> list[KnownPolicy]:
            question = await self._with.resolve(snapshot, as_of)
            return await read_policies(snapshot, self._with.shelf, question.on, question.position)

        return wire.ListPoliciesResponse(policies=_adopted(await call.read(work)))

    async def LintPolicy(  # noqa: N802
        self, request: wire.LintPolicyRequest, context: Context
    ) -> wire.LintPolicyResponse:
        """What is wrong with a document."""
        fields = Fields()
        _document(request.policy_json, fields)
        fields.done()
        await self._with.begin(context, 0)
        found = lint(request.policy_json)
        return wire.LintPolicyResponse(
            findings=[
                wire.LintFinding(path=each.path, message=each.message, fatal=each.fatal)
                for each in found.findings
            ],
            policy="" if found.policy is None else found.policy.label,
            policy_json="" if found.policy is None else found.policy.canonical_json,
        )

    async def DiffPolicy(  # noqa: N802
        self, request: wire.DiffPolicyRequest, context: Context
    ) -> wire.DiffPolicyResponse:
        """Who would move, by how much and why."""
        fields = Fields()
        named = fields.policy("policy", request.policy)
        other = None
        if request.WhichOneof("other") == "policy_json":
            other = _adoptable(request.policy_json, fields)
        elif named is None and not request.policy:
            fields.wrong("policy_json", "or policy is required", Reason.FIELD_REQUIRED)
        person = fields.person("person", request.person) if request.person else None
        if not 0 <= request.limit <= POLICY_MOVES_MAX:
            fields.wrong("limit", f"is 1 to {POLICY_MOVES_MAX}", Reason.OUT_OF_RANGE)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        limit = request.limit or POLICY_MOVES_DEFAULT

        async def work(snapshot: Snapshot) -> wire.DiffPolicyResponse:
            question = await self._with.resolve(snapshot, as_of)
            compared = other
            if compared is None:
                compared = await policy_for(
                    snapshot, self._with.shelf, named, question.on, question.position
                )
            found = await read_policy_diff(snapshot, question, compared, person, limit)
            return wire.DiffPolicyResponse(
                moves=[_move(move, found.on) for move in found.moves],
                relationships=found.relationships,
                moved=found.moved,
                other=compared.label,
                computed=computed_message(snapshot, question),
            )

        return await call.read(work)


def _document(text: str, fields: Fields) -> bool:
    """Whether there is a document to read."""
    if not text:
        fields.wrong("policy_json", "is required", Reason.FIELD_REQUIRED)
        return False
    if (size := len(text.encode())) > POLICY_BYTES_MAX:
        limits = {"bytes": str(size), "limit": str(POLICY_BYTES_MAX)}
        fields.wrong("policy_json", f"takes {POLICY_BYTES_MAX} bytes", Reason.TOO_LARGE, limits)
        return False
    return True


def _adoptable(text: str, fields: Fields) -> Policy | None:
    """The policy of a document that could be adopted; what is wrong otherwise, by its key."""
    if not _document(text, fields):
        return None
    found = lint(text)
    for finding in found.findings:
        if finding.fatal:
            key = "" if finding.path in ("", "policy") else f".{finding.path}"
            fields.wrong(f"policy_json{key}", finding.message, Reason.POLICY_INVALID)
    return found.policy


def _adopted(known: Sequence[KnownPolicy]) -> list[wire.AdoptedPolicy]:
    """The policies; documents beyond what an answer can carry are left out, the newest kept."""
    room = PAGE_BYTES_MAX
    messages = []
    for each in reversed(known):
        message = wire.AdoptedPolicy(
            policy=policy_message(each.policy),
            event_id=each.event_id,
            position=each.position,
            in_force=each.in_force,
        )
        room -= len(message.policy.policy_json)
        if room < 0:
            message.policy.ClearField("policy_json")
        messages.append(message)
    return messages[::-1]


def _move(move: PolicyMove, on: int) -> wire.PolicyMove:
    name = relationship_name(move.pair)

    def balance(stand: Stand) -> capital.Balance:
        return capital.Balance(
            relationship=name,
            on=date_message(on),
            know_mp=stand.know_mp,
            care_mp=stand.care_mp,
            buffer_mp=stand.buffer_mp,
        )

    return wire.PolicyMove(
        relationship=name,
        before=balance(move.before),
        after=balance(move.after),
        by_kind={each.kind: each.sum_mp for each in move.kinds[:_KINDS_MAX]},
    )
