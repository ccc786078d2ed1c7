"""CapitalService over real gRPC and real Postgres: lists of relationships."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.v1 import capital_service_pb2 as capital

from services.runtime.clock import US_PER_DAY
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import Running, caller, date_of, link, running_projector, touch

ORDERS = (
    capital.BALANCE_ORDER_BUFFER,
    capital.BALANCE_ORDER_CARE,
    capital.BALANCE_ORDER_KNOW,
    capital.BALANCE_ORDER_LAST_CONTACT,
)


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def ask(
    projector: Running, *, tenant: str = "acme", **request: Any
) -> capital.ListBalancesResponse:
    answer: capital.ListBalancesResponse = await projector.capital.ListBalances(
        capital.ListBalancesRequest(**request), metadata=caller(tenant=tenant)
    )
    return answer


async def all_of(projector: Running, **request: Any) -> list[capital.Balance]:
    """Every page of a list."""
    found: list[capital.Balance] = []
    token = ""
    while True:
        page = await ask(projector, page_token=token, **request)
        assert len(page.balances) <= (request.get("page_size") or 50)
        found += page.balances
        token = page.next_page_token
        if not token:
            return found
        assert page.balances, "a page that is not the last holds something"


def key_of(balance: capital.Balance, order: int) -> int:
    last = balance.last_contact_on
    keys: dict[int, int] = {
        capital.BALANCE_ORDER_BUFFER: balance.buffer_mp,
        capital.BALANCE_ORDER_CARE: balance.care_mp,
        capital.BALANCE_ORDER_KNOW: balance.know_mp,
        capital.BALANCE_ORDER_LAST_CONTACT: (last.year * 100 + last.month) * 100 + last.day,
    }
    return keys[order]


def as_of(**fields: Any) -> capital.AsOf:
    on = fields.pop("on", None)
    message = capital.AsOf(**fields)
    if on is not None:
        message.on.CopyFrom(date_of(on))
    return message


async def fill(projector: Running) -> None:
    """Eleven relationships, some equal, one without contact, around `a`, `b` and others."""
    kinds = ("call", "proposal", "social.like", "gift.small", "incident")
    for number in range(10):
        kind = kinds[number % 5]
        hub = "a" if number % 2 else "b"
        more = {"severity": 1} if kind == "incident" else {}
        await projector.add(
            touch(hub, f"p{number:02d}", kind, **more), f"2026-05-{10 + number // 2:02d}T09:00:00Z"
        )
    await projector.add(touch("a", "zed", "transaction"), "2026-05-20T09:00:00Z")
    await projector.settle()


@pytest.mark.parametrize("person", ["", "people/a"])
@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("order", ORDERS)
async def test_today_is_listed_in_order_page_by_page_and_folded_the_same(
    projector: Running, order: int, ascending: bool, person: str
) -> None:
    await fill(projector)
    whole = await all_of(projector, order_by=order, ascending=ascending, person=person)
    assert len(whole) == (6 if person else 11)
    keys = [key_of(each, order) for each in whole]
    assert keys == sorted(keys, reverse=not ascending)
    paged = await all_of(projector, order_by=order, ascending=ascending, person=person, page_size=3)
    assert paged == whole
    reverse = await all_of(projector, order_by=order, ascending=not ascending, person=person)
    assert reverse == whole[::-1]
    for each in whole:
        alone = await projector.capital.GetBalance(
            capital.GetBalanceRequest(relationship=each.relationship), metadata=caller()
        )
        assert alone.balance == each
    if person:
        # The same list known at its own position is folded, not read.
        known = as_of(known_at_position=projector.head)
        folded = await all_of(
            projector,
            order_by=order,
            ascending=ascending,
            person=person,
            page_size=4,
            as_of=known,
        )
        assert folded == whole


async def test_a_tenant_without_events_has_an_empty_list(projector: Running) -> None:
    answer = await ask(projector)
    assert not answer.balances
    assert not answer.next_page_token
    assert answer.computed.on == date_of("2026-06-01")


async def test_another_day_of_a_person_leaves_out_what_had_not_begun(projector: Running) -> None:
    await fill(projector)
    listed = await all_of(projector, person="people/a", as_of=as_of(on="2026-05-12"))
    assert {each.relationship for each in listed} == {
        "relationships/a~p01",
        "relationships/a~p03",
        "relationships/a~p05",
    }


@pytest.mark.parametrize("order", ORDERS)
async def test_what_is_recorded_for_later_days_alone_is_listed_from_its_day_on(
    projector: Running, order: int
) -> None:
    await fill(projector)
    for number in range(4):
        await projector.add(touch("a", f"later{number}", "call"), "2026-06-03T09:00:00Z")
    await projector.add(touch("a", "later0", "transaction"), "2026-06-02T09:00:00Z")
    await projector.settle()
    for person, count in (("", 11), ("people/a", 6)):
        for ascending in (False, True):
            asked = {"person": person, "order_by": order, "ascending": ascending}
            whole = await all_of(projector, **asked)
            assert len(whole) == count
            for size in (1, 5):
                assert await all_of(projector, page_size=size, **asked) == whole
    projector.clock.advance_us(US_PER_DAY)
    await projector.settle()
    assert len(await all_of(projector, order_by=order)) == 12
    projector.clock.advance_us(US_PER_DAY)
    await projector.settle()
    assert len(await all_of(projector, order_by=order)) == 15


async def test_a_linked_human_is_listed_once_and_found_by_every_id(projector: Running) -> None:
    await projector.add(touch("amy", "bob", "call"), "2026-06-01T09:00:00Z")
    await projector.add(touch("amy2", "bob", "call"), "2026-06-01T09:00:00Z")
    await projector.add(touch("amy2", "amy", "call"), "2026-06-01T09:00:00Z")
    await projector.add(link("amy", "amy2"))
    await projector.settle()
    whole = await all_of(projector)
    assert [(each.relationship, each.know_mp) for each in whole] == [
        ("relationships/amy~bob", 8000)
    ]
    for person in ("people/amy", "people/amy2", "people/bob"):
        assert await all_of(projector, person=person) == whole
        known = as_of(known_at_position=4)
        assert await all_of(projector, person=person, as_of=known) == whole
    before = await all_of(projector, person="people/amy2", as_of=as_of(known_at_position=3))
    assert {each.relationship for each in before} == {
        "relationships/amy2~bob",
        "relationships/amy~amy2",
    }


async def test_a_list_that_is_not_built_is_refused_and_a_persons_is_folded(
    projector: Running,
) -> None:
    await fill(projector)
    before = await all_of(projector, person="people/a")
    projector.clock.advance_us(US_PER_DAY)
    error = await refused(ask(projector))
    assert (error.reason, error.code.name) == ("VIEW_BUILDING", "UNAVAILABLE")
    assert error.metadata == {"done": "0", "total": "11"}
    assert error.retry_after_s
    folded = await all_of(projector, person="people/a")
    assert len(folded) == 6
    await projector.settle()
    assert await all_of(projector, person="people/a") == folded
    assert folded != before
    assert len(await all_of(projector)) == 11


async def test_a_token_from_before_the_turn_of_the_day_goes_on_where_folding_is_allowed(
    projector: Running,
) -> None:
    await fill(projector)
    whole = await all_of(projector, person="people/a")
    mine = await ask(projector, person="people/a", page_size=2)
    everybody = await ask(projector, page_size=2)
    # A later touchpoint and a new day: the list goes on as it was.
    await projector.add(touch("a", "p01", "meal_or_social"), "2026-05-30T09:00:00Z")
    projector.clock.advance_us(US_PER_DAY)
    await projector.settle()
    rest = await ask(projector, person="people/a", page_size=2, page_token=mine.next_page_token)
    assert list(rest.balances) == whole[2:4]
    assert rest.computed.on == date_of("2026-06-01")
    assert rest.computed.position == mine.computed.position
    error = await refused(ask(projector, page_size=2, page_token=everybody.next_page_token))
    assert error.reason == "LIST_TOO_WIDE"


async def test_another_day_of_the_whole_tenant_is_too_wide(projector: Running) -> None:
    await fill(projector)
    for wide in (
        as_of(on="2026-05-31"),
        as_of(known_at_position=3),
        as_of(on="2027-01-01"),
    ):
        error = await refused(ask(projector, as_of=wide))
        assert (error.reason, error.code.name) == ("LIST_TOO_WIDE", "FAILED_PRECONDITION")
        assert error.metadata == {"count": "11", "limit": "10000"}


async def test_too_many_relationships_of_a_person_are_not_folded(
    projector: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(projector)
    monkeypatch.setattr("services.projector.queries.standings.FOLDED_RELATIONSHIPS_MAX", 5)
    error = await refused(ask(projector, person="people/a", as_of=as_of(on="2026-05-30")))
    assert error.reason == "LIST_TOO_WIDE"
    assert error.metadata == {"count": "6", "limit": "5"}
    # Today's list is read, not folded.
    assert len(await all_of(projector, person="people/a")) == 6


async def test_a_page_token_belongs_to_its_request_and_tenant(projector: Running) -> None:
    await fill(projector)
    token = (await ask(projector, page_size=2)).next_page_token
    for other in (
        {"ascending": True},
        {"person": "people/a"},
        {"order_by": capital.BALANCE_ORDER_CARE},
        {"tenant": "other"},
    ):
        error = await refused(ask(projector, page_token=token, **other))
        assert error.reason == "PAGE_TOKEN_INVALID"
        assert [each.field for each in error.violations] == ["page_token"]
    assert (await ask(projector, page_token=token, page_size=7)).balances
