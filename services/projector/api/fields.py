"""Reading the fields of a request: every wrong one is named by its path, all of them at once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import common_pb2
from rapport.v1 import capital_service_pb2 as capital

from services.projector.domain.facts import Pair
from services.projector.queries.question import AsOf, PolicyName
from services.runtime.clock import (
    NS_PER_US,
    InvalidInstant,
    day_from_date,
    instant_from_timestamp,
)
from services.runtime.errors import RapportError, Reason, Violation, invalid
from services.runtime.limits import FILTER_VALUES_MAX, TEAM_BYTES_MAX
from services.runtime.names import (
    InvalidName,
    parse_event_id,
    parse_organization,
    parse_party,
    parse_person,
    parse_relationship,
)
from services.runtime.page_tokens import page_size_of

# What stands for a wrong field until `done` refuses the request; never part of an answer.
_NOBODY = "people/-"
_NO_PAIR: Pair = ("people/-", "people/.")
_SAME_PERSON = "a relationship is between two different people"


class Fields:
    """Reads fields and keeps what is wrong with them; `done` refuses if anything was.

    A wrong field reads as something harmless, so that the others can be read too: use nothing
    before `done`.
    """

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def done(self) -> None:
        """Refuse the request when a field was wrong; the first one gives the reason."""
        if self._violations:
            raise invalid(self._violations)

    def wrong(
        self,
        field: str,
        description: str,
        reason: Reason = Reason.FIELD_MALFORMED,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Note that a field is wrong."""
        self._violations.append(Violation(field, description, reason, metadata or {}))

    def pair(self, field: str, text: str) -> Pair:
        """The people of a relationship's name, in order."""
        if not text:
            self.wrong(field, "is required", Reason.FIELD_REQUIRED)
            return _NO_PAIR
        try:
            a, b = parse_relationship(text).people
        except InvalidName as error:
            same = _SAME_PERSON in str(error)
            self.wrong(field, str(error), Reason.SAME_PERSON if same else Reason.FIELD_MALFORMED)
            return _NO_PAIR
        return a, b

    def person(self, field: str, text: str) -> str:
        """A person's name."""
        return self._name(field, text, parse_person)

    def organization(self, field: str, text: str) -> str:
        """An organisation's name."""
        return self._name(field, text, parse_organization)

    def team(self, field: str, text: str) -> str:
        """A team: lower case, at most 64 bytes, no NUL; not empty."""
        if not text:
            self.wrong(field, "is required", Reason.FIELD_REQUIRED)
        elif len(text.encode()) > TEAM_BYTES_MAX or "\0" in text or text != text.lower():
            self.wrong(field, f"a team is lower case text, at most {TEAM_BYTES_MAX} bytes")
        return text

    def party(self, field: str, text: str) -> str:
        """A person's or organisation's name."""
        return self._name(field, text, parse_party)

    def event_id(self, field: str, text: str) -> UUID | None:
        """An event id; None when the field is empty."""
        if not text:
            return None
        try:
            return parse_event_id(text)
        except InvalidName as error:
            self.wrong(field, str(error))
            return None

    def day(self, field: str, message: Message, name: str) -> int | None:
        """The day in the Date field `name` of a message; None when it is absent."""
        if not message.HasField(name):
            return None
        given: common_pb2.Date = getattr(message, name)
        try:
            return day_from_date(date(given.year, given.month, given.day))
        except ValueError:
            self.wrong(field, "is no day of the calendar; years 1 to 9999")
            return None

    def position(self, field: str, position: int) -> int:
        """A position, which is not negative."""
        if position < 0:
            self.wrong(field, "a position is not negative", Reason.OUT_OF_RANGE)
        return position

    def policy(self, field: str, label: str) -> PolicyName | None:
        """A policy's name; None when the field is empty."""
        if not label:
            return None
        try:
            return PolicyName.parse(label, field)
        except RapportError as error:
            self._violations += error.violations
            return None

    def known_enum(self, field: str, enum: Any, value: int, *, unset: bool = True) -> int:
        """A value of an enum; `unset` says whether it may be 0."""
        known = value in enum.values() and (unset or value != 0)
        if not known:
            self.wrong(field, "is no value this service knows", Reason.ENUM_VALUE_UNKNOWN)
        return value

    def at_most(self, field: str, values: Sequence[Any], limit: int) -> None:
        """A list of at most `limit` items."""
        if len(values) > limit:
            self.wrong(
                field,
                f"takes at most {limit}",
                Reason.TOO_MANY,
                {"count": str(len(values)), "limit": str(limit)},
            )

    def each[T](self, field: str, values: Sequence[T], read: Callable[[str, T], object]) -> None:
        """Read every item of a filter under its own path; at most 100 items."""
        self.at_most(field, values, FILTER_VALUES_MAX)
        for index, value in enumerate(values[:FILTER_VALUES_MAX]):
            read(f"{field}[{index}]", value)

    def page_size(self, size: int) -> int:
        """How long a page may be."""
        try:
            return page_size_of(size)
        except RapportError as error:
            self._violations += error.violations
            return 1

    def as_of(self, message: capital.AsOf) -> AsOf:
        """What is asked of balances, its paths below `as_of`; min_position aside."""
        known_at_us: int | None = None
        known_at_position: int | None = None
        if message.HasField("known_at_time"):
            known_at_us = self._instant("as_of.known_at_time", message.known_at_time)
        if message.HasField("known_at_position"):
            known_at_position = self.position("as_of.known_at_position", message.known_at_position)
        return AsOf(
            on=self.day("as_of.on", message, "on"),
            known_at_us=known_at_us,
            known_at_position=known_at_position,
            policy=self.policy("as_of.policy", message.policy),
        )

    def _instant(self, field: str, given: Timestamp) -> int:
        # What is recorded has whole microseconds: cutting the rest off changes no answer.
        nanos = given.nanos - given.nanos % NS_PER_US
        try:
            return instant_from_timestamp(given.seconds, nanos)
        except InvalidInstant as error:
            self.wrong(field, str(error))
            return 0

    def _name(self, field: str, text: str, parse: Callable[[str], str]) -> str:
        if not text:
            self.wrong(field, "is required", Reason.FIELD_REQUIRED)
            return _NOBODY
        try:
            return parse(text)
        except InvalidName as error:
            self.wrong(field, str(error))
            return _NOBODY
