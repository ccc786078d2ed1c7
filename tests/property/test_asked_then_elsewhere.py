"""The as-of promise of the services beside RelationshipService: asked for then is as asked then.

Every query of theirs, of capital, timelines, people, policies, portfolios and attention. Today's
attention is compared at the turn's own position: what was touched since the turn is brought up to
now at once, what was learned otherwise joins at the next one (docs/attention.md).
"""

from collections.abc import AsyncIterator, Iterator
from typing import Final
from uuid import UUID

import pytest
from google.protobuf.message import Message
from rapport.events.v1 import common_pb2, people_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import timeline_service_pb2 as timeline

from services.projector.api.answers import date_message
from services.runtime.clock import US_PER_DAY
from tests.property.companies import Asked, Company
from tests.property.histories import AnyTenant
from tests.property.questions import attention_questions, questions
from tests.support.databases import Database
from tests.support.effort import seeds
from tests.support.views import Running, running_projector

PARTS: Final = 4
EVENTS: Final = 30
ERASED: Final = "people/bob"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(
        database, now="2026-01-01T12:00:00Z", tenants=AnyTenant()
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("seed", "ahead"),
    [*((seed, 0.0) for seed in seeds(1)), *((2 + seed, 0.4) for seed in seeds(1))],
)
async def test_every_service_answers_about_the_past_as_it_did_then(
    projector: Running, seed: int, ahead: float
) -> None:
    told = Company(projector, seed, ahead=ahead)
    await told.begin()
    then: list[tuple[list[Asked], capital.AsOf, list[list[str]]]] = []
    for _ in range(PARTS):
        for _ in range(EVENTS):
            await told.tell()
        await projector.settle()
        asked = questions(told)
        then.append((asked, told.as_of(), await told.answers(asked, capital.AsOf())))
        # Within a day, and with what may be known said, attention is worked out anew.
        asked, known = attention_questions(told), told.as_of()
        then.append((asked, known, await told.answers(asked, known)))
        known = told.as_of()
        projector.clock.advance_us(told.random.choice((1, 9, 30)) * US_PER_DAY)
        known.on.CopyFrom(date_message(projector.today))
        await projector.settle()
        await told.turn()
        asked = attention_questions(told)
        then.append((asked, known, await told.answers(asked, capital.AsOf())))
    for asked, as_of, answers in then:
        for now, before in zip(await told.answers(asked, as_of), answers, strict=True):
            assert now == before


async def test_a_text_erased_since_is_a_tombstone_and_all_else_is_as_it_was(
    projector: Running,
) -> None:
    told = Company(projector, 3)
    await told.begin()
    for _ in range(2 * EVENTS):
        await told.tell()
    await projector.settle()
    asked, as_of = questions(told), told.as_of()
    before = await told.messages(asked, capital.AsOf())
    projector.clock.advance_us(US_PER_DAY)
    event_id = await told.add(people_pb2.SubjectErased(subject=ERASED))
    await projector.vault.erase(told.tenant, ERASED, UUID(event_id))
    await projector.settle()
    tombstones = 0
    for now, then in zip(await told.messages(asked, as_of), before, strict=True):
        if isinstance(now, Message) and isinstance(then, Message):
            texts = list(zip(texts_of(now), texts_of(then), strict=True))
            for after, once in texts:
                assert (after.text, after.erased) in (("", True), (once.text, once.erased))
                tombstones += after.erased
                after.Clear()
                once.Clear()
            for party in parties_of(now):
                assert party.erased == (party.party == ERASED)
                party.erased = False
        assert now == then
    assert tombstones


def texts_of(message: Message) -> Iterator[common_pb2.PersonalText]:
    """Every text about people in an answer, in order."""
    return (each for each in within(message) if isinstance(each, common_pb2.PersonalText))


def parties_of(message: Message) -> Iterator[timeline.Party]:
    """Every party in an answer."""
    return (each for each in within(message) if isinstance(each, timeline.Party))


def within(message: Message) -> Iterator[Message]:
    """A message and all below it, in order; of maps by key."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = [value[key] for key in sorted(value)]
        else:
            values = list(value) if field.is_repeated else [value]
        for each in values:
            if isinstance(each, Message):
                yield from within(each)
