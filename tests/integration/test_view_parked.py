"""Parked events and versions of the read models: what a switch must not bring back."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.projector.projections import touchpoints
from services.projector.projections.apply import retry
from services.projector.projections.content import content
from services.projector.versions.switching import SwitchRefused, switch
from tests.support.databases import Database
from tests.support.deliveries import JOURNAL, TODAY
from tests.support.view_sites import Site, site_on

PARKED = 156


@pytest.fixture
async def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr("services.projector.versions.comparing._TRIES", 3)
    async with site_on(database) as made:
        yield made


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Whether one event can be taken, in any version."""
    poisoned = True

    async def insert(conn: Any, journal: str, arrivals: Any) -> None:
        if poisoned and any(event.position == PARKED for event, _ in arrivals.touchpoints):
            raise ValueError("cannot be taken")
        await whole(conn, journal, arrivals)

    def switch_to(to: bool) -> None:
        nonlocal poisoned
        poisoned = to

    whole = touchpoints.insert
    monkeypatch.setattr(touchpoints, "insert", insert)
    return switch_to


async def parked_and_compared(site: Site) -> None:
    """Both versions have parked the same event, and are equal."""
    await site.project(400)
    await site.builder.build()
    assert await site.live.fetchval("SELECT position FROM views.parked") == PARKED
    assert await site.live.fetchval("SELECT position FROM views_next.parked") == PARKED
    assert (await site.compared()).equal


async def test_what_was_retried_since_the_comparison_is_not_parked_again_by_the_switch(
    site: Site, poison: Callable[[bool], None]
) -> None:
    await parked_and_compared(site)
    poison(False)
    assert await retry(site.live, JOURNAL, PARKED, today=TODAY) is None
    before = (await content(site.live, JOURNAL)).tables
    await switch(site.live, site.builder, by="test")
    assert await site.live.fetchval("SELECT count(*) FROM views.parked") == 0
    assert (await content(site.live, JOURNAL)).tables == before


async def test_what_only_the_version_beside_cannot_take_refuses_the_switch(
    site: Site, poison: Callable[[bool], None]
) -> None:
    await parked_and_compared(site)
    poison(False)
    assert await retry(site.live, JOURNAL, PARKED, today=TODAY) is None
    poison(True)
    with pytest.raises(SwitchRefused, match=f"alone has parked 1 events .{JOURNAL} {PARKED}"):
        await switch(site.live, site.builder, by="test")
    assert not (await site.compared()).equal
    with pytest.raises(SwitchRefused, match="differs"):
        await switch(site.live, site.builder, by="test")
