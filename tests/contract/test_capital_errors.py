"""Every reason the projector can refuse with, over real gRPC and real Postgres."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import errors_pb2
from rapport.v1 import relationship_service_pb2 as wire
from rapport.v1 import timeline_service_pb2 as timeline
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

from services.projector.api import LedgerTenants
from services.runtime.clock import US_PER_DAY
from services.runtime.errors import Reason
from services.runtime.grpc_errors import CODES
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import KnownTenants, Running, caller, date_of, running_projector, touch

ROOT: Final = Path(__file__).resolve().parents[2] / "services"
AB: Final = "relationships/a~b"
UNHEARD: Final = "00000000-0000-4000-8000-00000000ffff"
# Reasons of the edge that both services share.
EDGE: Final = {Reason.CREDENTIALS_MISSING, Reason.REQUEST_MALFORMED, Reason.INTERNAL}


class Tenants(KnownTenants):
    """Asks a ledger that is not there for one of them."""

    def __init__(self) -> None:
        self.channel = grpc.aio.insecure_channel("127.0.0.1:1")
        self.ledger = LedgerTenants(LedgerServiceStub(self.channel))

    async def journal_of(self, tenant: str) -> str:
        """Known, or not to be known."""
        if tenant == "elsewhere":
            return await self.ledger.journal_of(tenant)
        return await super().journal_of(tenant)


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    tenants = Tenants()
    async with tenants.channel, running_projector(database, tenants=tenants) as running:
        await running.add(touch("a", "b", "call"))
        await running.settle()
        yield running


type Call = Callable[[Running, pytest.MonkeyPatch], Awaitable[object]]


@dataclass(frozen=True)
class Refusal:
    """A call, and what it must be refused with."""

    call: Call
    fields: tuple[str, ...] = ()
    metadata: dict[str, str] | None = None
    retry: bool = False


def balance(*, who: tuple[tuple[str, str], ...] | None = None, **request: Any) -> Call:
    """GetBalance."""

    async def call(projector: Running, _: pytest.MonkeyPatch) -> object:
        return await projector.capital.GetBalance(
            capital.GetBalanceRequest(**request), metadata=caller() if who is None else who
        )

    return call


def listed(**request: Any) -> Call:
    """ListBalances."""

    async def call(projector: Running, _: pytest.MonkeyPatch) -> object:
        return await projector.capital.ListBalances(
            capital.ListBalancesRequest(**request), metadata=caller()
        )

    return call


def lines(**request: Any) -> Call:
    """ListTimeline."""

    async def call(projector: Running, _: pytest.MonkeyPatch) -> object:
        return await projector.timeline.ListTimeline(
            timeline.ListTimelineRequest(**request), metadata=caller()
        )

    return call


def batch(relationships: list[str]) -> Call:
    """BatchGetBalances."""

    async def call(projector: Running, _: pytest.MonkeyPatch) -> object:
        return await projector.capital.BatchGetBalances(
            capital.BatchGetBalancesRequest(relationships=relationships), metadata=caller()
        )

    return call


def relationships(method: str, request: Any) -> Call:
    """A call of RelationshipService; more of its refusals are in its own tests."""

    async def call(projector: Running, _: pytest.MonkeyPatch) -> object:
        return await getattr(projector.relationships, method)(request, metadata=caller())

    return call


def planned(kind: str, whom: str) -> Call:
    """ForecastRelationship of a and b with a plan."""
    plan = wire.PlannedTouchpoint(on=date_of("2026-06-02"), touchpoint=touch("a", whom, kind))
    return relationships(
        "ForecastRelationship",
        wire.ForecastRelationshipRequest(relationship=AB, severity=1, plan=[plan]),
    )


async def party(projector: Running, _: pytest.MonkeyPatch) -> object:
    return await projector.timeline.GetParty(
        timeline.GetPartyRequest(party="people/nobody"), metadata=caller()
    )


async def behind(projector: Running, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("services.projector.api.calls.MIN_POSITION_WAIT_MS", 100)
    return await projector.capital.GetBalance(
        capital.GetBalanceRequest(
            relationship="relationships/a~b", as_of=capital.AsOf(min_position=99)
        ),
        metadata=caller(),
    )


async def building(projector: Running, _: pytest.MonkeyPatch) -> object:
    projector.clock.advance_us(US_PER_DAY)
    return await projector.capital.ListBalances(capital.ListBalancesRequest(), metadata=caller())


async def long_receipt(projector: Running, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("services.projector.api.capital.MESSAGE_BYTES_MAX", 10)
    return await projector.capital.ExplainBalance(
        capital.ExplainBalanceRequest(relationship="relationships/a~b"), metadata=caller()
    )


async def garbage(projector: Running, _: pytest.MonkeyPatch) -> object:
    call: Any = projector.channel.unary_unary("/rapport.v1.CapitalService/GetBalance")
    return await call(b"\xff\xff\xff", metadata=caller())


async def broken_row(projector: Running, _: pytest.MonkeyPatch) -> object:
    await projector.pool.execute("UPDATE views.balances SET buckets = 'no JSON'")
    return await projector.capital.GetBalance(
        capital.GetBalanceRequest(relationship="relationships/a~b"), metadata=caller()
    )


REFUSALS: Final[dict[Reason, list[Refusal]]] = {
    Reason.FIELD_REQUIRED: [
        Refusal(balance(), ("relationship",)),
        Refusal(batch([]), ("relationships",)),
        Refusal(lines(), ("parent",)),
    ],
    Reason.FIELD_MALFORMED: [
        Refusal(balance(relationship="a~b"), ("relationship",)),
        Refusal(balance(relationship="relationships/A~b"), ("relationship",)),
        Refusal(batch([AB, "x"]), ("relationships[1]",)),
        Refusal(listed(person="people/a b"), ("person",)),
        Refusal(lines(parent="planets/x"), ("parent",)),
        Refusal(lines(parent=AB, kinds=["call", "No"]), ("kinds[1]",)),
        Refusal(lines(parent=AB, channels=["\0"]), ("channels[0]",)),
        Refusal(lines(parent=AB, incident="1"), ("incident",)),
        Refusal(balance(relationship=AB, as_of=capital.AsOf(policy="default")), ("as_of.policy",)),
        Refusal(
            balance(relationship="x", as_of=capital.AsOf(on=date_of("2026-02-30"))),
            ("relationship", "as_of.on"),
        ),
    ],
    Reason.OUT_OF_RANGE: [
        Refusal(listed(page_size=-1), ("page_size",)),
        Refusal(listed(page_size=1001), ("page_size",)),
        Refusal(lines(parent=AB, page_size=-5), ("page_size",)),
        Refusal(lines(parent=AB, min_position=-5), ("min_position",)),
        Refusal(
            balance(relationship=AB, as_of=capital.AsOf(known_at_position=-1)),
            ("as_of.known_at_position",),
        ),
    ],
    Reason.SAME_PERSON: [
        Refusal(balance(relationship="relationships/a~a"), ("relationship",)),
        Refusal(lines(parent="relationships/a~a"), ("parent",)),
    ],
    Reason.ENUM_VALUE_UNKNOWN: [
        Refusal(listed(order_by=9), ("order_by",)),
        Refusal(lines(parent=AB, order_by=9), ("order_by",)),
        Refusal(lines(parent=AB, initiatives=[1, 0, 9]), ("initiatives[1]", "initiatives[2]")),
        Refusal(lines(parent=AB, initiator_side=7), ("initiator_side",)),
    ],
    Reason.KIND_UNKNOWN: [
        Refusal(planned("dance", "b"), ("plan[0].touchpoint.kind",), {"kind": "dance"})
    ],
    Reason.FIELD_NOT_ALLOWED: [Refusal(planned("call", "c"), ("plan[0].touchpoint",))],
    Reason.EVENT_UNKNOWN: [
        Refusal(
            relationships("GetIncident", wire.GetIncidentRequest(event_id=UNHEARD)),
            (),
            {"event_id": UNHEARD},
        )
    ],
    Reason.TOO_LARGE: [Refusal(long_receipt)],
    Reason.TOO_MANY: [
        Refusal(batch([AB] * 1001), ("relationships",), {"count": "1001", "limit": "1000"}),
        Refusal(
            lines(parent=AB, kinds=["call"] * 101), ("kinds",), {"count": "101", "limit": "100"}
        ),
    ],
    Reason.PAGE_TOKEN_INVALID: [
        Refusal(listed(page_token="x"), ("page_token",)),
        Refusal(lines(parent=AB, page_token="AAAA"), ("page_token",)),
    ],
    Reason.POLICY_UNKNOWN: [
        Refusal(
            balance(relationship=AB, as_of=capital.AsOf(policy="ours@3")),
            ("as_of.policy",),
            {"policy": "ours@3"},
        ),
        Refusal(
            balance(relationship=AB, as_of=capital.AsOf(policy="default@1#0000000000000000")),
            ("as_of.policy",),
            {"policy": "default@1#0000000000000000"},
        ),
    ],
    Reason.REQUEST_MALFORMED: [Refusal(garbage)],
    Reason.CREDENTIALS_MISSING: [
        Refusal(balance(who=caller(tenant=None), relationship=AB), (), {"key": "x-rapport-tenant"}),
        Refusal(balance(who=(), relationship=AB), (), {"key": "x-rapport-principal"}),
    ],
    Reason.TENANT_UNKNOWN: [
        Refusal(balance(who=caller(tenant="none"), relationship=AB), (), {"tenant": "none"})
    ],
    Reason.PARTY_UNKNOWN: [Refusal(party, (), {"party": "people/nobody"})],
    Reason.LIST_TOO_WIDE: [
        Refusal(
            listed(as_of=capital.AsOf(on=date_of("2026-05-31"))),
            (),
            {"count": "1", "limit": "10000"},
        )
    ],
    Reason.UNAVAILABLE: [
        Refusal(balance(who=caller(tenant="elsewhere"), relationship=AB), retry=True)
    ],
    Reason.VIEW_BEHIND: [Refusal(behind, (), {"position": "1", "min_position": "99"}, retry=True)],
    Reason.VIEW_BUILDING: [Refusal(building, (), {"done": "0", "total": "1"}, retry=True)],
    Reason.INTERNAL: [Refusal(broken_row)],
}


# Met in test_policy_service.py and test_people_service.py, where they are given.
ELSEWHERE = {Reason.POLICY_INVALID, Reason.CALLER_REQUIRED, Reason.WATCH_LIST_UNKNOWN}


def test_every_reason_the_projector_gives_is_in_the_table() -> None:
    named = {
        Reason(found)
        for folder in ("api", "queries")
        for path in (ROOT / "projector" / folder).glob("*.py")
        for found in re.findall(r"\bReason\.([A-Z_]+)\b", path.read_text())
        # The reasons of domain/effective.py are words of receipts.
        if found in Reason.__members__
    }
    # OUT_OF_RANGE of page sizes comes from runtime.page_tokens.
    assert named | EDGE == set(REFUSALS) | ELSEWHERE
    assert not set(REFUSALS) & ELSEWHERE
    contract = [value.name for value in errors_pb2.ErrorReason.DESCRIPTOR.values]
    assert {f"ERROR_REASON_{reason.value}" for reason in REFUSALS} <= set(contract)


@pytest.mark.parametrize(
    ("reason", "number"),
    [(reason, number) for reason, found in REFUSALS.items() for number in range(len(found))],
)
async def test_a_refusal_carries_reason_code_fields_and_metadata(
    projector: Running, monkeypatch: pytest.MonkeyPatch, reason: Reason, number: int
) -> None:
    refusal = REFUSALS[reason][number]
    error = await refused(refusal.call(projector, monkeypatch))
    assert error.reason == reason.value
    assert error.code == CODES[reason]
    assert tuple(each.field for each in error.violations) == refusal.fields
    if refusal.metadata is not None:
        assert error.metadata == refusal.metadata
    assert (error.retry_after_s is not None) == refusal.retry
    if reason is Reason.INTERNAL:
        assert set(error.metadata) == {"incident"}


async def test_an_append_is_read_as_soon_as_it_is_applied(projector: Running) -> None:
    await projector.add(touch("a", "b", "proposal"), "2026-06-01T09:00:00Z")
    request = capital.GetBalanceRequest(
        relationship=AB, as_of=capital.AsOf(min_position=projector.head)
    )
    waiting = projector.capital.GetBalance(request, metadata=caller())
    await projector.settle()
    answer = await waiting
    assert answer.computed.position == projector.head
    assert answer.balance.know_mp > 6000
