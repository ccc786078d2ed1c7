"""Texts about people in every place that takes one, and every answer that shows them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from rapport import Rapport, new_event_id, personal, touchpoint
from rapport.events import DeliveredEvent, EventSubscriber
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.events.v1.common_pb2 import PersonalText
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import timeline_service_pb2 as timeline

from services.runtime.personal_texts import personal_texts
from services.runtime.vault import Erased, MasterKeys, Vault, open_
from tests.e2e.running import Books

ANN, BOB, CAT = "people/ann", "people/bob-whom-we-forget", "people/cat"

# One text a place. Every word is one that nothing else on the disk of a server has.
NOTE: Final = "Zwetschgenkuchen mit Quittengelee am Birkenwaldsee"
NOTE_ATTRIBUTE: Final = "Krokodilsledertasche vergessen"
CORRECTED_NOTE: Final = "Heidelbeerpfannkuchen statt Zwetschgenkuchen"
REASON: Final = "Verwechslungskomödie"
NAME: Final = "Balthasar Wunderlichsen"
NAME_ATTRIBUTE: Final = "Schnurrbartwichse"
FACT: Final = "Tochter Kunigundelina studiert Vulkanologie"
LABEL: Final = "Kirschblütenhochzeitstag"
OF_BOB: Final = (
    NOTE,
    NOTE_ATTRIBUTE,
    CORRECTED_NOTE,
    REASON,
    NAME,
    NAME_ATTRIBUTE,
    FACT,
    LABEL,
)
OF_OTHERS: Final = ("Apfelstrudelrezept von Großtante", "Katharinchen Sommerfeldt")


@dataclass(frozen=True, slots=True)
class Story:
    """What was recorded: event ids by what they hold, and the last position."""

    events: Mapping[str, str]
    position: int


async def tell(client: Rapport) -> Story:
    """Everything there is to know about Bob, and something about others."""
    ids = {name: new_event_id() for name in _NAMES}
    met = touchpoint(ANN, BOB, "meeting.in_person", event_id=ids["met"], note=NOTE)
    met.touchpoint.attributes["left.behind"].text = NOTE_ATTRIBUTE
    called = touchpoint(BOB, ANN, "call", event_id=ids["called"], minutes=30)
    corrected = touchpoint(BOB, ANN, "meal_or_social", note=CORRECTED_NOTE)
    others = touchpoint(ANN, CAT, "call", event_id=ids["others"], note=OF_OTHERS[0])
    liked = touchpoint(ANN, BOB, "social.like", event_id=ids["liked"])
    answer = await client.append(
        [
            met,
            called,
            liked,
            others,
            pb.NewEvent(
                event_id=ids["corrected"],
                corrected=touchpoint_pb2.Corrected(
                    replaces=ids["called"], touchpoint=corrected.touchpoint
                ),
            ),
            pb.NewEvent(
                event_id=ids["voided"],
                voided=touchpoint_pb2.Voided(target=ids["liked"], reason=personal(REASON)),
            ),
            pb.NewEvent(
                event_id=ids["described"],
                party_described=people_pb2.PartyDescribed(
                    party=BOB,
                    side=people_pb2.SIDE_EXTERNAL,
                    display_name=personal(NAME),
                    attributes={"gift": personal(NAME_ATTRIBUTE)},
                ),
            ),
            pb.NewEvent(
                event_id=ids["described cat"],
                party_described=people_pb2.PartyDescribed(
                    party=CAT, display_name=personal(OF_OTHERS[1])
                ),
            ),
            pb.NewEvent(
                event_id=ids["learned"],
                fact_learned=people_pb2.FactLearned(person=BOB, text=personal(FACT)),
            ),
            pb.NewEvent(
                event_id=ids["noted"],
                date_noted=people_pb2.DateNoted(person=BOB, label=personal(LABEL), month=4, day=12),
            ),
        ]
    )
    return Story(ids, answer.last_position)


_NAMES: Final = (
    "met",
    "called",
    "liked",
    "others",
    "corrected",
    "voided",
    "described",
    "described cat",
    "learned",
    "noted",
)


async def every_answer(client: Rapport, story: Story) -> dict[str, list[Message]]:
    """All that the services say of it, by call."""
    position = story.position
    return {
        "GetEvent": [await client.event(event_id) for event_id in story.events.values()],
        "ReadEvents of the journal": [event async for event in client.read_journal()],
        "ReadEvents of a home": [
            event
            for home in (f"relationships/{_id(ANN)}~{_id(BOB)}", BOB, CAT)
            async for event in client.read_home(home)
        ],
        "SubscribeEvents": await _subscribed(client),
        "ListTimeline": [
            line
            for parents in ((ANN,), (BOB,), (ANN, BOB))
            async for line in client.timeline(*parents, include_voided=True, min_position=position)
        ],
        "GetParty": [await client.party(name, min_position=position) for name in (BOB, CAT)],
        "ListParties": [party async for party in client.parties(min_position=position)],
    }


async def worth(client: Rapport, position: int) -> list[bytes]:
    """The balance and the receipt of Ann and Bob, and Ann's list, without their position."""
    answer = await client.explain(ANN, BOB, min_position=position)
    listed = [item async for item in client.balances(ANN, min_position=position)]
    parts: list[Message] = [answer.balance, *answer.lines, *listed]
    for part in parts:
        if isinstance(part, capital.Balance):
            assert part.know_mp or part.care_mp, "nothing would be compared"
    return [part.SerializeToString(deterministic=True) for part in parts]


def texts_of(answers: Mapping[str, Iterable[Message]]) -> dict[str, list[PersonalText]]:
    """Every personal text in the answers, by call."""
    return {
        call: [text for message in messages for text in _texts(message)]
        for call, messages in answers.items()
    }


def bytes_of(answers: Mapping[str, Iterable[Message]]) -> bytes:
    """Everything that was answered, as it came."""
    return b"\n".join(
        message.SerializeToString() for messages in answers.values() for message in messages
    )


async def published(books: Books, position: int) -> list[DeliveredEvent]:
    """The journal's messages on NATS up to a position."""
    found: list[DeliveredEvent] = []
    url = books.stack.state.env["RAPPORT_NATS_URL"]
    async with EventSubscriber(url, books.name) as events:
        async for event in events:
            found.append(event)
            if event.position >= position:
                return found
    return found


async def openable(books: Books, messages: Iterable[DeliveredEvent]) -> set[str]:
    """The texts of NATS messages that somebody with all keys there are can still open."""
    env = books.stack.state.env
    found: set[str] = set()
    async with asyncpg.create_pool(env["RAPPORT_VAULT_DSN"], min_size=0, max_size=1) as pool:
        with open(env["RAPPORT_MASTER_KEY_FILE"], encoding="utf-8") as file:  # noqa: ASYNC230
            vault = Vault(pool, MasterKeys.from_text(file.read()))
        for message in messages:
            assert message.message is not None
            for path, text in personal_texts(message.message):
                subjects = list(text.sealed_for)
                keys = await vault.keys_for(books.name, subjects, create=False)
                place: tuple[Any, ...] = (books.name, UUID(message.event_id), path, text.sealed)
                try:
                    found.add(open_(keys, subjects, *place))
                except Erased:
                    continue
    return found


async def _subscribed(client: Rapport) -> list[Message]:
    found: list[Message] = []
    subscription = client.subscribe()
    async for message in subscription.messages():
        found.extend(message.events.events)
        if subscription.caught_up:
            break
    return found


def _texts(message: Message) -> Iterator[PersonalText]:
    if isinstance(message, PersonalText):
        yield message
        return
    if isinstance(message, pb.Event):
        payload = message.WhichOneof("payload")
        message = getattr(message, payload) if payload else message
    elif isinstance(message, timeline.TimelineLine):
        message = message.touchpoint
    for _, text in personal_texts(message):
        yield text


def _id(person: str) -> str:
    return person.removeprefix("people/")
