"""The questions that are asked of a small and of a large tenant: see bench.wide."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from rapport import Rapport
from rapport.ids import relationship
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as relationships
from rapport.v1.timeline_service_pb2 import ListTimelineRequest

from bench.made import PEOPLE_PER_TEAM, Cast

# Asks one question about the relationship of that number.
type Ask = Callable[[Rapport, Cast, int], Awaitable[Any]]

_PAGE: Final = 50


def _pair(ask: Callable[[Rapport, str, str], Awaitable[Any]]) -> Ask:
    return lambda client, cast, number: ask(client, *cast.pair(number))


def _ours(ask: Callable[[Rapport, str], Awaitable[Any]]) -> Ask:
    return lambda client, cast, number: ask(client, cast.pair(number)[0])


async def _first[T](found: Any) -> T | None:
    async for each in found:
        answer: T = each
        return answer
    return None


def _balances(order: "capital.BalanceOrder.ValueType", *, of_person: bool = False) -> Ask:
    async def ask(client: Rapport, cast: Cast, number: int) -> Any:
        person = cast.pair(number)[0] if of_person else ""
        request = capital.ListBalancesRequest(person=person, order_by=order, page_size=_PAGE)
        return await client.balances_page(request)

    return ask


def _relationships(order: "relationships.RelationshipOrder.ValueType") -> Ask:
    async def ask(client: Rapport, cast: Cast, number: int) -> Any:
        request = relationships.ListRelationshipsRequest(
            person=cast.pair(number)[0], order_by=order, page_size=10
        )
        return await client.projector.ask(
            client._relationship_stub.ListRelationships,
            request,
        )

    return ask


def _timeline(client: Rapport, parent: str) -> Awaitable[Any]:
    return client.timeline_page(ListTimelineRequest(parent=parent, page_size=_PAGE))


async def _team(client: Rapport, cast: Cast, number: int) -> Any:
    return await client.portfolio(f"teams/team-{number % cast.internal // PEOPLE_PER_TEAM:04d}")


async def _account(client: Rapport, cast: Cast, number: int) -> Any:
    return await client.account(cast.organization(number % cast.external))


async def _tenant(client: Rapport, _: Cast, __: int) -> Any:
    return await client.portfolio(f"tenants/{dict(client.projector.metadata)['x-rapport-tenant']}")


CALLS: Final[dict[str, Ask]] = {
    "relationship": _pair(lambda client, a, b: client.relationship(a, b)),
    "brief": _pair(lambda client, a, b: client.brief(a, b)),
    "forecast": _pair(lambda client, a, b: client.forecast(a, b)),
    "balance": _pair(lambda client, a, b: client.balance(a, b)),
    "receipt": _pair(lambda client, a, b: client.explain(a, b)),
    "timeline of a pair": _pair(lambda client, a, b: _timeline(client, relationship(a, b))),
    "timeline of a person": _ours(_timeline),
    "incidents of a pair": _pair(lambda client, a, b: _first(client.incidents(a, b))),
    "incidents of a person": _ours(lambda client, person: _first(client.incidents(person))),
    "balances of a person": _balances(capital.BALANCE_ORDER_BUFFER, of_person=True),
    "balances by buffer": _balances(capital.BALANCE_ORDER_BUFFER),
    "balances by care": _balances(capital.BALANCE_ORDER_CARE),
    "balances by know": _balances(capital.BALANCE_ORDER_KNOW),
    "balances by last contact": _balances(capital.BALANCE_ORDER_LAST_CONTACT),
    "relationships by buffer": _relationships(relationships.RELATIONSHIP_ORDER_BUFFER),
    "relationships by velocity": _relationships(relationships.RELATIONSHIP_ORDER_VELOCITY_AHEAD),
    "relationships by care share": _relationships(relationships.RELATIONSHIP_ORDER_CARE_SHARE),
    "portfolio of a person": _ours(lambda client, person: client.portfolio(person)),
    "portfolio of a team": _team,
    "account": _account,
    "who knows": _pair(lambda client, _, b: _first(client.who_knows(b))),
    "reconnect": _ours(lambda client, person: _first(client.reconnects(person))),
    "attention of a person": _ours(lambda client, person: client.attention(person)),
    "portfolio of the tenant": _tenant,
}

# Questions about the whole tenant cost by its size: a few of them say enough.
LIMITED: Final = {"portfolio of the tenant": 3, "portfolio of a team": 10}
