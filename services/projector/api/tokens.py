"""What the page tokens of the two services hold."""

from dataclasses import dataclass, replace
from typing import Any, Final, Self
from uuid import UUID

from services.projector.queries.question import AsOf, Question
from services.projector.queries.standings import Place
from services.projector.queries.timelines import Before
from services.runtime.clock import InvalidInstant, date_from_day
from services.runtime.errors import RapportError, Reason, Violation, invalid
from services.runtime.page_tokens import Value, make_token, read_token

_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ListToken:
    """Where a list of balances goes on, and the day, policy and position it was computed with."""

    day: int
    policy_hash: str
    position: int
    place: Place

    @classmethod
    def of(cls, question: Question, place: Place) -> Self:
        """The token of a page that ends at `place`."""
        return cls(question.on, question.policy.hash, question.position, place)

    @classmethod
    def read(cls, text: str, key: bytes) -> Self:
        """The token in a text; PAGE_TOKEN_INVALID if it was made for another request."""
        cursor: list[Any] = read_token(text, key, (int, str, int, int, str, str))
        day, policy_hash, position, place_key, a, b = cursor
        try:
            date_from_day(day)
        except (InvalidInstant, OverflowError):
            raise token_invalid() from None
        if not (0 <= position <= _INT64_MAX and _INT64_MIN <= place_key <= _INT64_MAX):
            raise token_invalid()
        return cls(day, policy_hash, position, Place(place_key, (a, b)))

    def text(self, key: bytes) -> str:
        """The token as the answer carries it."""
        return make_token(
            key,
            (self.day, self.policy_hash, self.position, self.place.key, *self.place.pair),
        )


@dataclass(frozen=True, slots=True)
class Pin:
    """The day and the position that the first page of something past was answered with."""

    on: int
    position: int

    @classmethod
    def read(cls, on: Any, position: Any) -> Self:
        """Those of a token; PAGE_TOKEN_INVALID if there are no such."""
        try:
            date_from_day(on)
        except (InvalidInstant, OverflowError):
            raise token_invalid() from None
        if not 0 <= position <= _INT64_MAX:
            raise token_invalid()
        return cls(on, position)

    def hold(self, as_of: AsOf) -> AsOf:
        """The same question for a further page; one of the present goes on live."""
        if not as_of.names_knowledge:
            return as_of
        return replace(as_of, on=self.on, known_at_us=None, known_at_position=self.position)


def page_token(key: bytes, question: Question, *cursor: Value) -> str:
    """Where pages of a question go on."""
    return make_token(key, (question.on, question.position, *cursor))


def read_page_token(text: str, key: bytes, *types: type[int] | type[str]) -> tuple[Pin, list[Any]]:
    """The pin and the cursor in a text; PAGE_TOKEN_INVALID if it was made for another request."""
    on, position, *cursor = read_token(text, key, (int, int, *types))
    return Pin.read(on, position), cursor


def timeline_token(key: bytes, question: Question, before: Before) -> str:
    """Where a timeline goes on."""
    return page_token(key, question, before.key, before.event_id.hex)


def read_timeline_token(text: str, key: bytes) -> tuple[Pin, Before]:
    """The pin and the place in a text; PAGE_TOKEN_INVALID if it was made for another request."""
    pin, (place_key, event_id) = read_page_token(text, key, int, str)
    if not _INT64_MIN <= place_key <= _INT64_MAX:
        raise token_invalid()
    try:
        return pin, Before(place_key, UUID(event_id))
    except ValueError:
        raise token_invalid() from None


def read_position_token(text: str, key: bytes) -> tuple[Pin, int]:
    """The pin and the place in a text; PAGE_TOKEN_INVALID if it was made for another request."""
    pin, (after,) = read_page_token(text, key, int)
    if not 0 <= after <= _INT64_MAX:
        raise token_invalid()
    return pin, after


def token_invalid() -> RapportError:
    """The refusal of a token that is none of this request's."""
    return invalid(
        [
            Violation(
                "page_token",
                "was not made by this service for this very request: begin with the first page",
                Reason.PAGE_TOKEN_INVALID,
            )
        ]
    )
