"""AppendEvents and RecordOccasion."""

from collections.abc import Sequence
from typing import Final

from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.adopting import refuse_uncalibrated
from services.ledger.api.drafts import Draft, Scope, check_kind, draft_of, read_batch
from services.ledger.api.kinds import kinds_named
from services.ledger.api.parts import Parts
from services.ledger.api.presenting import append_answer
from services.ledger.api.types import BY_FIELD
from services.ledger.domain.events import Recorded, TenantRow
from services.ledger.domain.occasions import pair_event_id, pairs
from services.runtime.caller import Caller
from services.runtime.clock import instant_from_timestamp
from services.runtime.errors import Reason, invalid
from services.runtime.limits import OCCASION_TOUCHPOINTS_MAX, REQUEST_BYTES_MAX
from services.runtime.names import parse_event_id, parse_person
from services.runtime.payloads import rules
from services.runtime.payloads.checking import Found, add, check_payload
from services.runtime.payloads.rules import REQUIRED, Fault

_person: Final = rules.named(parse_person)
_occasion_id: Final = rules.named(parse_event_id)
_DERIVED: Final = ("initiator", "counterpart", "occasion_id")
# Stand in for the two people while the touchpoint of an occasion is checked.
_HOST, _GUEST = "people/host", "people/guest"


async def append_events(
    parts: Parts, caller: Caller, request: pb.AppendEventsRequest, deadline_s: float | None
) -> pb.AppendEventsResponse:
    """Record a batch."""
    tenant = await parts.tenant_of(caller)
    await parts.kinds.learn(tenant.tenant, kinds_named(request.events))
    drafts = read_batch(request.events, request.ByteSize(), scope_of(parts, tenant, caller))
    await refuse_uncalibrated(parts.journal, tenant.tenant, drafts)
    recorded = await _record(parts, tenant, caller, drafts, deadline_s)
    return append_answer(tenant.journal, recorded)


async def record_occasion(
    parts: Parts, caller: Caller, request: pb.RecordOccasionRequest, deadline_s: float | None
) -> pb.RecordOccasionResponse:
    """Record one touchpoint for every pair of a host and a guest."""
    tenant = await parts.tenant_of(caller)
    await parts.kinds.learn(tenant.tenant, {request.touchpoint.kind})
    drafts = read_occasion(request, scope_of(parts, tenant, caller))
    recorded = await _record(parts, tenant, caller, drafts, deadline_s)
    answer = append_answer(tenant.journal, recorded)
    return pb.RecordOccasionResponse(
        journal=answer.journal, events=answer.events, last_position=answer.last_position
    )


def scope_of(parts: Parts, tenant: TenantRow, caller: Caller) -> Scope:
    """What a caller's request is judged by, now."""
    return Scope(
        tenant=tenant.tenant,
        principal=caller.principal,
        now_us=parts.clock.now_us(),
        is_kind=lambda kind: parts.kinds.has(tenant.tenant, kind),
    )


def read_occasion(request: pb.RecordOccasionRequest, scope: Scope) -> list[Draft]:
    """The drafts of an occasion, by host and then guest; INVALID_ARGUMENT with every violation."""
    found: Found = []
    if request.ByteSize() > REQUEST_BYTES_MAX:
        raise_too_large = rules.too_large(request.ByteSize(), REQUEST_BYTES_MAX)
        add(found, "touchpoint", raise_too_large)
    _check_occasion(request, scope, found)
    template = _check_template(request, scope, found)
    if found:
        raise invalid(found)
    occurred_at_us = None
    if request.HasField("occurred_at"):
        at = request.occurred_at
        occurred_at_us = instant_from_timestamp(at.seconds, at.nanos)
    drafts = []
    for host, guest in pairs(request.hosts, request.guests):
        touchpoint = touchpoint_pb2.Touchpoint()
        touchpoint.CopyFrom(template)
        touchpoint.initiator, touchpoint.counterpart = host, guest
        event_id = pair_event_id(request.occasion_id, host, guest)
        draft = draft_of(event_id, BY_FIELD["touchpoint"], touchpoint, "", scope)
        draft.occurred_at_us, draft.correlation_id = occurred_at_us, request.correlation_id
        drafts.append(draft)
    return drafts


async def _record(
    parts: Parts,
    tenant: TenantRow,
    caller: Caller,
    drafts: Sequence[Draft],
    deadline_s: float | None,
) -> tuple[Recorded, ...]:
    started_s = parts.clock.monotonic_s()
    recorded = await parts.recorder.record(
        tenant.journal, tenant.tenant, caller, drafts, deadline_s=deadline_s
    )
    count_appended(parts, recorded, started_s)
    return recorded


def count_appended(parts: Parts, recorded: Sequence[Recorded], started_s: float) -> None:
    """Count a recorded batch, begun at `started_s` of the monotonic clock."""
    replayed = sum(each.replayed for each in recorded)
    duration_s = parts.clock.monotonic_s() - started_s
    parts.metrics.appended(len(recorded) - replayed, replayed, duration_s)


def _check_occasion(request: pb.RecordOccasionRequest, scope: Scope, found: Found) -> None:
    if not request.occasion_id:
        add(found, "occasion_id", REQUIRED)
    else:
        add(found, "occasion_id", _occasion_id(request.occasion_id))
    seen: set[str] = set()
    for name, people in (("hosts", request.hosts), ("guests", request.guests)):
        if not people:
            add(found, name, REQUIRED)
        if len(people) > OCCASION_TOUCHPOINTS_MAX:
            add(found, name, rules.too_many(len(people), OCCASION_TOUCHPOINTS_MAX))
            continue
        for index, person in enumerate(people):
            fault = _person(person)
            if fault is None and person in seen:
                fault = Fault(Reason.SAME_PERSON, "takes everybody once, as a host or a guest")
            add(found, f"{name}[{index}]", fault)
            seen.add(person)
    count = len(request.hosts) * len(request.guests)
    if count > OCCASION_TOUCHPOINTS_MAX and not found:
        add(found, "guests", rules.too_many(count, OCCASION_TOUCHPOINTS_MAX))
    if request.HasField("occurred_at"):
        at = request.occurred_at
        add(found, "occurred_at", rules.occurred_at(at.seconds, at.nanos, scope.now_us))
    if request.correlation_id:
        add(found, "correlation_id", rules.correlation_id(request.correlation_id))


def _check_template(
    request: pb.RecordOccasionRequest, scope: Scope, found: Found
) -> touchpoint_pb2.Touchpoint:
    """The touchpoint of every pair, but for its two people."""
    template = touchpoint_pb2.Touchpoint()
    if not request.HasField("touchpoint"):
        add(found, "touchpoint", REQUIRED)
        return template
    for name in _DERIVED:
        if getattr(request.touchpoint, name):
            add(found, f"touchpoint.{name}", rules.not_allowed("is derived from the occasion"))
    template.CopyFrom(request.touchpoint)
    template.initiator, template.counterpart = _HOST, _GUEST
    template.occasion_id = ""
    check_payload(template, "touchpoint", scope.now_us, found)
    check_kind(template, "touchpoint", scope.is_kind, found)
    template.occasion_id = request.occasion_id
    return template
