"""Resource names and ids: every pattern of the domain in one place.

Each `parse_*` function takes text from outside and returns it validated and normalised, or raises
`InvalidName`, whose message never repeats the text (a name may identify a person and messages end
up in logs) and names no field (the caller knows which one it was). Ids are ASCII, so comparing
`str` is comparing bytes. Source: the domain contract, section 2.
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

KIND_BYTES_MAX: Final = 64

_SLUG: Final = re.compile(r"[a-z0-9-]{1,63}")
# No `~`, which joins the two ids of a relationship, and no `/`: every name parses in one way only.
_ID: Final = r"[a-z0-9._@-]{1,128}"
_PERSON: Final = re.compile(rf"people/({_ID})")
_ORGANIZATION: Final = re.compile(rf"organizations/({_ID})")
_PARTY: Final = re.compile(rf"(?:people|organizations)/{_ID}")
_SERVICE: Final = re.compile(rf"services/{_ID}")
_PRINCIPAL: Final = re.compile(rf"(?:people|services)/{_ID}")
_RELATIONSHIP: Final = re.compile(rf"relationships/({_ID})~({_ID})")
_TENANT_NAME: Final = re.compile(r"tenants/([a-z0-9-]{1,63})")
_KIND: Final = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_NIL_UUID: Final = "00000000-0000-0000-0000-000000000000"

_ID_RULE: Final = "an id is 1 to 128 of a-z, 0-9 and . _ @ -"


class InvalidName(ValueError):  # noqa: N818 - the sentence reads without "Error"
    """A name or id does not have its form; the message says which form, never the text itself."""


@dataclass(frozen=True, slots=True, order=True)
class Relationship:
    """The unordered pair of two different people, by id, `a` < `b` in byte order."""

    a: str
    b: str

    def __post_init__(self) -> None:
        assert self.a < self.b, "a relationship is kept in order; make one with relationship_of"

    @property
    def name(self) -> str:
        """`relationships/{a}~{b}`."""
        return f"relationships/{self.a}~{self.b}"

    @property
    def people(self) -> tuple[str, str]:
        """The two person names, `people/{a}` and `people/{b}`."""
        return f"people/{self.a}", f"people/{self.b}"

    def other(self, person: str) -> str:
        """The person name at the other end from `person`; ValueError if that is not in the pair."""
        first, second = self.people
        if person == first:
            return second
        if person == second:
            return first
        raise ValueError("the person is not in this relationship")


def parse_tenant(text: str) -> str:
    """A tenant id, `[a-z0-9-]{1,63}`."""
    if _SLUG.fullmatch(text) is None:
        raise InvalidName("a tenant is 1 to 63 of a-z, 0-9 and -")
    return text


def parse_journal(text: str) -> str:
    """A journal id, `[a-z0-9-]{1,63}`."""
    if _SLUG.fullmatch(text) is None:
        raise InvalidName("a journal is 1 to 63 of a-z, 0-9 and -")
    return text


def parse_person(text: str) -> str:
    """A person name, `people/{id}`."""
    if _PERSON.fullmatch(text) is None:
        raise InvalidName(f"a person is people/{{id}}; {_ID_RULE}")
    return text


def parse_organization(text: str) -> str:
    """An organisation name, `organizations/{id}`."""
    if _ORGANIZATION.fullmatch(text) is None:
        raise InvalidName(f"an organisation is organizations/{{id}}; {_ID_RULE}")
    return text


def parse_party(text: str) -> str:
    """A party name, `people/{id}` or `organizations/{id}`."""
    if _PARTY.fullmatch(text) is None:
        raise InvalidName(f"a party is people/{{id}} or organizations/{{id}}; {_ID_RULE}")
    return text


def parse_principal(text: str) -> str:
    """A principal, `people/{id}` or `services/{name}`."""
    if _PRINCIPAL.fullmatch(text) is None:
        raise InvalidName(f"a principal is people/{{id}} or services/{{name}}; {_ID_RULE}")
    return text


def is_service(principal: str) -> bool:
    """Whether a parsed principal is a service, which may read whole journals."""
    return principal.startswith("services/")


def is_person(party: str) -> bool:
    """Whether a parsed party or principal is a person."""
    return party.startswith("people/")


def parse_relationship(text: str) -> Relationship:
    """A relationship name in either order of its two ids: `relationships/b~a` means `a~b`."""
    match = _RELATIONSHIP.fullmatch(text)
    if match is None:
        raise InvalidName(f"a relationship is relationships/{{id}}~{{id}}; {_ID_RULE}")
    return _pair(match[1], match[2])


def relationship_of(person: str, other: str) -> Relationship:
    """The relationship of two person names, in any order; they must be different people."""
    first, second = _PERSON.fullmatch(person), _PERSON.fullmatch(other)
    if first is None or second is None:
        raise InvalidName(f"a person is people/{{id}}; {_ID_RULE}")
    return _pair(first[1], second[1])


def relationship_name(person: str, other: str) -> str:
    """`relationships/{a}~{b}` of two different, parsed person names, in any order."""
    first, second = person[len("people/") :], other[len("people/") :]
    assert first != second, "a relationship is between two different people"
    return f"relationships/{min(first, second)}~{max(first, second)}"


def parse_kind(text: str) -> str:
    """The catalogue name of a kind, `[a-z0-9_]+(.[a-z0-9_]+)*`, at most 64 bytes."""
    if len(text) > KIND_BYTES_MAX or _KIND.fullmatch(text) is None:
        raise InvalidName("a kind is up to 64 of a-z, 0-9 and _, in parts joined by single dots")
    return text


def parse_event_id(text: str) -> UUID:
    """An event id: a UUID in canonical lower case, so that one id has one spelling.

    Any UUID version is taken. The nil UUID is refused: it is an id nobody made.
    """
    if _UUID.fullmatch(text) is None:
        raise InvalidName("an event id is a UUID in canonical form, lower case with hyphens")
    parsed = UUID(text)
    if parsed.int == 0:
        raise InvalidName("an event id is not the nil UUID")
    return parsed


def check_event_id(text: str) -> None:
    """The same, without making the UUID: for ids that stay text."""
    if _UUID.fullmatch(text) is None or text == _NIL_UUID:
        parse_event_id(text)


def tenant_home(tenant: str) -> str:
    """The home of a tenant's own events, such as its policies: `tenants/{tenant}`."""
    return f"tenants/{tenant}"


def parse_home(text: str) -> str:
    """The name of a home: of a relationship, a party, a principal or a tenant.

    A relationship is answered in its order, `a~b`.
    """
    if text.startswith("relationships/"):
        return parse_relationship(text).name
    for pattern in (_PARTY, _SERVICE, _TENANT_NAME):
        if pattern.fullmatch(text) is not None:
            return text
    raise InvalidName(
        "a home is relationships/{id}~{id}, people/{id}, organizations/{id}, services/{name} "
        f"or tenants/{{tenant}}; {_ID_RULE}"
    )


def _pair(first: str, second: str) -> Relationship:
    if first == second:
        raise InvalidName("a relationship is between two different people")
    return Relationship(first, second) if first < second else Relationship(second, first)
