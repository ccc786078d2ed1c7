"""Briefs, reconnects and acquaintances over real gRPC and real Postgres."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import relationship_service_pb2 as wire

from tests.contract.relationships import as_of, ask
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    Running,
    date_of,
    described,
    fact,
    link,
    noted,
    running_projector,
    touch,
    void,
)

INTERNAL, EXTERNAL = people_pb2.SIDE_INTERNAL, people_pb2.SIDE_EXTERNAL
STARTED = "2025-01-01T00:00:00Z"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def people(projector: Running, **sides: int) -> None:
    """Describe some people."""
    for name, side in sides.items():
        await projector.add(described(f"people/{name}", side=side, name=name.title()), STARTED)


async def starts(projector: Running, person: str, organization: str, at: str) -> str:
    """A person's place begins."""
    return await projector.add(
        people_pb2.AffiliationStarted(
            person=f"people/{person}", organization=f"organizations/{organization}", role="buyer"
        ),
        at,
    )


async def ends(projector: Running, target: str, person: str, organization: str, at: str) -> str:
    """And ends."""
    return await projector.add(
        people_pb2.AffiliationEnded(
            person=f"people/{person}", organization=f"organizations/{organization}", ends=target
        ),
        at,
    )


async def brief(projector: Running, **request: Any) -> wire.GetBriefResponse:
    """Of me and bob."""
    principal = request.pop("principal", "people/me")
    answer: wire.GetBriefResponse = await ask(
        projector,
        "GetBrief",
        wire.GetBriefRequest(**({"relationship": "relationships/bob~me"} | request)),
        principal,
    )
    return answer


async def lived(projector: Running) -> dict[str, str]:
    """What is to be known of bob before he is met on 2026-06-01; event ids by name."""
    await people(projector, me=INTERNAL, bob=EXTERNAL)
    made = {}
    old = await starts(projector, "bob", "acme", "2024-01-01T00:00:00Z")
    await ends(projector, old, "bob", "acme", "2026-03-01T00:00:00Z")
    made["place"] = await starts(projector, "bob", "globex", "2026-03-01T00:00:00Z")
    made["dog"] = await projector.add(fact("bob", "a dog called Rex"), "2026-02-01T09:00:00Z")
    made["college"] = await projector.add(
        fact(
            "bob",
            "his daughter starts college",
            category="family",
            expect_on=date_of("2026-06-20"),
            reason_for_relationship=True,
        ),
        "2022-06-20T09:00:00Z",
    )
    wrong = await projector.add(fact("bob", "likes golf"), "2026-02-02T09:00:00Z")
    await projector.add(void(wrong))
    made["birthday"] = await projector.add(noted("bob", "birthday", 6, 3), "2026-01-01T09:00:00Z")
    await projector.add(noted("bob", "wedding", 12, 24), "2026-01-01T09:00:00Z")
    made["ground"] = await projector.add(
        touch("me", "bob", "common_ground.found", note="the Red Sox"), "2026-02-10T09:00:00Z"
    )
    made["used"] = await projector.add(
        touch("me", "bob", "fact.used", facts_used=[made["dog"]]), "2026-03-10T09:00:00Z"
    )
    made["secret"] = await projector.add(
        touch(
            "me",
            "bob",
            "call",
            note="between us",
            visibility=touchpoint_pb2.VISIBILITY_PRIVATE,
        ),
        "2026-04-10T09:00:00Z",
        by="people/me",
    )
    made["incident"] = await projector.add(
        touch("bob", "me", "incident", severity=1, note="late again"), "2026-05-10T09:00:00Z"
    )
    made["need"] = await projector.add(
        touch("bob", "me", "need.stated", note="a quote"), "2026-05-11T09:00:00Z"
    )
    await projector.settle()
    return made


async def test_a_brief_is_one_page_about_whom_one_meets(projector: Running) -> None:
    made = await lived(projector)
    page = await brief(projector)
    assert page.party.party == "people/bob"
    assert page.party.display_name.text == "Bob"
    assert [(each.organization, each.role, each.event_id) for each in page.affiliations] == [
        ("organizations/globex", "buyer", made["place"])
    ]
    assert getattr(page.affiliations[0], "from") == date_of("2026-03-01")
    assert page.relationship.evidence.contact_days == 5
    assert page.relationship.open_incidents == [made["incident"]]
    assert page.forecast.impact_mp == 10_000
    assert page.forecast.buffer_mp == page.relationship.balance.buffer_mp
    assert [line.event_id for line in page.last_touches] == [
        made[name] for name in ("need", "incident", "secret", "used", "ground")
    ]
    assert [line.touchpoint.note.text for line in page.last_touches] == [
        "a quote",
        "late again",
        "between us",
        "",
        "the Red Sox",
    ]
    assert [line.event_id for line in page.common_ground] == [made["ground"]]
    (incident,) = page.open_incidents
    assert (incident.event_id, incident.note.text) == (made["incident"], "late again")
    (need,) = page.relationship.open_obligations
    assert (need.kind, need.state, need.note.text) == ("need.stated", "open", "a quote")
    assert list(need.owed_by) == ["people/me"]
    # The least used first; what was taken back is gone.
    assert [(each.event_id, each.text.text, each.times_used) for each in page.facts] == [
        (made["college"], "his daughter starts college", 0),
        (made["dog"], "a dog called Rex", 1),
    ]
    assert page.facts[0].reason_for_relationship
    assert page.facts[0].category == "family"
    # The wedding day is half a year away.
    assert [(each.event_id, each.days_until, each.text.text) for each in page.dates] == [
        (made["birthday"], 2, "birthday"),
        (made["college"], 19, "his daughter starts college"),
    ]
    rules = [each.rule for each in page.suggestions]
    assert rules[0] == "incident_unanswered"
    assert "use_a_fact" in rules
    assert (
        made["birthday"]
        in next(each for each in page.suggestions if each.rule == "date_coming").event_ids
    )
    assert all(each.why for each in page.suggestions)
    assert page.computed.on == date_of("2026-06-01")


async def test_a_brief_shows_private_texts_to_nobody_else(projector: Running) -> None:
    made = await lived(projector)
    page = await brief(projector, principal="people/peer")
    notes = {line.event_id: line.touchpoint.note for line in page.last_touches}
    assert notes[made["secret"]].withheld
    assert not notes[made["secret"]].text
    assert notes[made["need"]].text == "a quote"


async def test_a_brief_of_an_earlier_day_and_knowledge_is_what_it_was(projector: Running) -> None:
    made = await lived(projector)
    page = await brief(projector, as_of=as_of("2026-02-15"))
    assert [each.organization for each in page.affiliations] == ["organizations/acme"]
    assert [line.event_id for line in page.last_touches] == [made["ground"]]
    assert [each.times_used for each in page.facts] == [0, 0]
    assert not page.dates
    unknown = await brief(projector, as_of=as_of(known_at_position=2))
    assert not unknown.facts
    assert not unknown.affiliations
    assert unknown.party.display_name.text == "Bob"
    bare = await brief(projector, as_of=as_of(known_at_position=0))
    assert bare.party.party == "people/bob"
    assert not bare.party.described_by


async def test_a_brief_about_nobody_is_empty(projector: Running) -> None:
    page = await brief(projector, relationship="relationships/x~y")
    assert page.party.party in ("people/x", "people/y")
    assert page.relationship.evidence.too_little
    assert not page.last_touches
    assert page.forecast.short_by_mp == 10_000


async def test_a_brief_is_about_whom_one_asks_for(projector: Running) -> None:
    await lived(projector)
    await projector.add(link("bob", "robert"))
    await projector.settle()
    assert (await brief(projector, about="people/me")).party.party == "people/me"
    assert (await brief(projector, about="people/robert")).party.party == "people/bob"
    error = await refused(brief(projector, about="people/eve"))
    assert (error.reason, [each.field for each in error.violations]) == (
        "FIELD_MALFORMED",
        ["about"],
    )


async def reconnects(projector: Running, **request: Any) -> wire.ListReconnectsResponse:
    answer: wire.ListReconnectsResponse = await ask(
        projector,
        "ListReconnects",
        wire.ListReconnectsRequest(**({"person": "people/me"} | request)),
    )
    return answer


async def test_the_dormant_with_the_highest_peak_come_first(projector: Running) -> None:
    await people(projector, me=INTERNAL, bob=EXTERNAL)
    # Half-life 180: 8000 + 2000 on its day, 2000 + 500 after 360 days.
    for day in ("04", "05", "06"):
        await projector.add(touch("me", "bob", "meeting.in_person"), f"2025-06-{day}T09:00:00Z")
    for day in ("05", "06"):
        await projector.add(touch("me", "ann", "meeting.in_person"), f"2025-06-{day}T09:00:00Z")
    # Silent, but never strong; strong, but not silent.
    await projector.add(touch("me", "cat", "call"), "2025-06-06T09:00:00Z")
    for day in ("04", "05", "06"):
        await projector.add(touch("me", "dan", "meeting.in_person"), f"2025-06-{day}T09:00:00Z")
    await projector.add(touch("dan", "me", "social.like"), "2026-05-01T09:00:00Z")
    known = await projector.add(fact("bob", "sails"), "2025-06-06T09:00:00Z")
    ground = await projector.add(
        touch("bob", "me", "common_ground.found", note="chess"), "2025-06-03T09:00:00Z"
    )
    await projector.settle()
    answer = await reconnects(projector)
    first, second = answer.reconnects
    assert first.balance.relationship == "relationships/bob~me"
    assert (first.silent_days, first.peak_on) == (360, date_of("2025-06-06"))
    assert [(each.event_id, each.text.text, each.category) for each in first.facts] == [
        (known, "sails", ""),
        (ground, "chess", "common_ground.found"),
    ]
    assert second.balance.relationship == "relationships/ann~me"
    # 10000 of the day, and 10000 * 2^(-1/180) = 9961.6 of the day before.
    assert second.peak_mp == 19962
    assert not second.facts
    page = await reconnects(projector, page_size=1)
    assert page.reconnects[0] == first
    rest = await reconnects(projector, page_size=1, page_token=page.next_page_token)
    assert rest.reconnects[0] == second
    # Folded, it is the same; when dan was silent, he was among them.
    await projector.pool.execute("UPDATE views.tenants SET built = false")
    assert (await reconnects(projector)).reconnects == answer.reconnects
    then = await reconnects(projector, as_of=as_of("2026-04-30"))
    assert len(then.reconnects) == 3
    assert not (await reconnects(projector, person="people/stranger")).reconnects


async def acquaintances(projector: Running, party: str, **request: Any) -> list[tuple[Any, ...]]:
    answer: wire.ListAcquaintancesResponse = await ask(
        projector, "ListAcquaintances", wire.ListAcquaintancesRequest(party=party, **request)
    )
    return [
        (each.person.removeprefix("people/"), each.balance.buffer_mp, each.side)
        for each in answer.acquaintances
    ]


async def test_who_knows_somebody_best_and_would_survive(projector: Running) -> None:
    await people(projector, me=INTERNAL, peer=INTERNAL, bob=EXTERNAL, eve=EXTERNAL, amy=EXTERNAL)
    at = "2026-06-01T09:00:00Z"
    # support.hard_time: CARE 12000 on its day; call: 4000 and 4000, Bf 5000.
    for name, count in (("me", 2), ("peer", 1), ("eve", 3), ("guest", 1)):
        for _ in range(count):
            await projector.add(touch(name, "bob", "support.hard_time"), at)
    await projector.add(touch("late", "bob", "call"), at)
    await projector.add(touch("peer", "amy", "support.hard_time"), at)
    await projector.add(touch("peer", "amy", "call"), at)
    job = await starts(projector, "bob", "acme", "2026-01-01T00:00:00Z")
    await starts(projector, "amy", "acme", "2026-05-31T00:00:00Z")
    await projector.settle()
    # eve is not ours, and late would not survive 10000.
    ranked = [("me", 24000, INTERNAL), ("guest", 12000, 0), ("peer", 12000, INTERNAL)]
    assert await acquaintances(projector, "people/bob") == ranked
    assert await acquaintances(projector, "people/bob", severity=1) == [
        *ranked,
        ("late", 5000, 0),
    ]
    assert await acquaintances(projector, "people/bob", severity=3) == []
    # Of an organisation, with its person known best on the day.
    assert await acquaintances(projector, "organizations/acme") == [
        ("me", 24000, INTERNAL),
        ("peer", 17000, INTERNAL),
        ("guest", 12000, 0),
    ]
    await ends(projector, job, "bob", "acme", "2026-06-01T00:00:00Z")
    await projector.settle()
    assert await acquaintances(projector, "organizations/acme") == [("peer", 17000, INTERNAL)]
    known = as_of(known_at_position=projector.head - 1)
    assert len(await acquaintances(projector, "organizations/acme", as_of=known)) == 3
    assert await acquaintances(projector, "organizations/unheard") == []
    assert await acquaintances(projector, "people/unheard") == []


async def test_acquaintances_come_in_pages(projector: Running) -> None:
    await people(projector, bob=EXTERNAL)
    for name in ("a", "b", "c"):
        await projector.add(touch(name, "bob", "support.hard_time"), "2026-06-01T09:00:00Z")
    await projector.settle()
    found: list[str] = []
    request = wire.ListAcquaintancesRequest(party="people/bob", page_size=2)
    while True:
        page = await ask(projector, "ListAcquaintances", request)
        found += [each.person for each in page.acquaintances]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == ["people/a", "people/b", "people/c"]


@pytest.mark.parametrize(
    ("method", "request_", "reason", "fields"),
    [
        ("GetBrief", wire.GetBriefRequest(), "FIELD_REQUIRED", ["relationship"]),
        (
            "GetBrief",
            wire.GetBriefRequest(relationship="relationships/a~b", about="organizations/x"),
            "FIELD_MALFORMED",
            ["about"],
        ),
        ("ListReconnects", wire.ListReconnectsRequest(), "FIELD_REQUIRED", ["person"]),
        ("ListAcquaintances", wire.ListAcquaintancesRequest(), "FIELD_REQUIRED", ["party"]),
        (
            "ListAcquaintances",
            wire.ListAcquaintancesRequest(party="people/a", severity=-1),
            "OUT_OF_RANGE",
            ["severity"],
        ),
    ],
)
async def test_a_wrong_request_is_refused_by_its_fields(
    projector: Running, method: str, request_: object, reason: str, fields: list[str]
) -> None:
    error = await refused(ask(projector, method, request_))
    assert error.reason == reason
    assert [each.field for each in error.violations] == fields
