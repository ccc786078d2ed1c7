"""What a batch of events brings, sorted by the table that keeps it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rapport.events.v1 import people_pb2

from services.projector import facts
from services.projector.domain.facts import Touchpoint, pair_of
from services.projector.facts import Delivered, UnreadableFact
from services.projector.projections.statements import Named
from services.runtime.policy import Policy, PolicyError

VOID: Final = "V"
CORRECTION: Final = "C"
END: Final = "E"


@dataclass(frozen=True, slots=True)
class Amendment:
    """An event that points at another one; a and b as the amendments table has them."""

    event: Delivered
    role: str
    target: str
    a: str | None = None
    b: str | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """A PolicyAdopted with its document."""

    event: Delivered
    policy: Policy
    policy_json: str


@dataclass(slots=True)
class Arrivals:
    """The events of a batch, each in one of the lists up to `others`, and what they name."""

    touchpoints: list[tuple[Delivered, Touchpoint]] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    descriptions: list[tuple[Delivered, people_pb2.PartyDescribed]] = field(default_factory=list)
    links: list[tuple[Delivered, people_pb2.IdentityLinked]] = field(default_factory=list)
    policies: list[Adoption] = field(default_factory=list)
    others: list[Delivered] = field(default_factory=list)
    erased: list[Named] = field(default_factory=list)
    first_named: dict[Named, int] = field(default_factory=dict)
    tenants: set[str] = field(default_factory=set)
    # What is said to be fulfilled: the event that says so, the touchpoint meant, the target.
    fulfilments: list[tuple[Delivered, str, str]] = field(default_factory=list)
    # Who begins to belong where: the event, the organisation, the person.
    affiliations: list[tuple[Delivered, str, str]] = field(default_factory=list)

    def name(self, event: Delivered, *parties: str) -> None:
        """Note that an event names parties; what is empty names nobody."""
        for party in parties:
            if party:
                self.first_named.setdefault(Named(event.tenant, party), event.position)

    @property
    def adopting(self) -> bool:
        """Whether they may bring a tenant another policy: by adopting one, or taking one back."""
        return bool(self.policies) or any(each.role == VOID for each in self.amendments)

    @property
    def plain(self) -> bool:
        """Whether nothing in them changes what other facts mean, or who anybody is."""
        return not (self.amendments or self.descriptions or self.links or self.policies)

    def of_role(self, *roles: str) -> list[Amendment]:
        """The amendments of some roles."""
        return [amendment for amendment in self.amendments if amendment.role in roles]


def sort_events(events: Iterable[Delivered]) -> Arrivals:
    """The arrivals of a batch; UnreadableFact for an event that is no fact of its type.

    A type nobody knows here is carried among the others.
    """
    arrivals = Arrivals()
    for event in events:
        reader = _READERS.get(event.type, _other)
        if reader is not _other and event.schema_version > facts.SCHEMA_VERSION_MAX:
            raise UnreadableFact(f"schema version {event.schema_version} is newer than this reader")
        reader(arrivals, event)
        arrivals.tenants.add(event.tenant)
    return arrivals


def _touchpoint(arrivals: Arrivals, event: Delivered) -> None:
    touchpoint = facts.touchpoint_from(
        event.payload,
        event_id=event.event_id,
        position=event.position,
        occurred_at_us=event.occurred_at_us,
    )
    arrivals.touchpoints.append((event, touchpoint))
    if touchpoint.fulfils:
        arrivals.fulfilments.append((event, event.event_id, touchpoint.fulfils))
    arrivals.name(event, touchpoint.initiator, touchpoint.counterpart)


def _voided(arrivals: Arrivals, event: Delivered) -> None:
    void = facts.void_from(event.payload, event_id=event.event_id, position=event.position)
    arrivals.amendments.append(Amendment(event, VOID, void.target))


def _corrected(arrivals: Arrivals, event: Delivered) -> None:
    correction = facts.correction_from(
        event.payload, event_id=event.event_id, position=event.position
    )
    if fulfils := correction.replacement.fulfils:
        arrivals.fulfilments.append((event, correction.replaces, fulfils))
    a, b = correction.replacement.pair
    arrivals.amendments.append(Amendment(event, CORRECTION, correction.replaces, a, b))
    arrivals.name(event, a, b)


def _described(arrivals: Arrivals, event: Delivered) -> None:
    described = facts.party_described_from(event.payload)
    arrivals.descriptions.append((event, described))
    arrivals.name(event, described.party)


def _linked(arrivals: Arrivals, event: Delivered) -> None:
    linked = facts.identity_linked_from(event.payload)
    arrivals.links.append((event, linked))
    arrivals.name(event, linked.a, linked.b)


def _unlinked(arrivals: Arrivals, event: Delivered) -> None:
    unlinked = facts.identity_unlinked_from(event.payload)
    a, b = pair_of(unlinked.a, unlinked.b)
    target = facts.canonical_id(unlinked.ends) or ""
    arrivals.amendments.append(Amendment(event, END, target, a, b))
    arrivals.name(event, a, b)


def _affiliation_started(arrivals: Arrivals, event: Delivered) -> None:
    started = facts.affiliation_started_from(event.payload)
    if started.organization:
        arrivals.affiliations.append((event, started.organization, started.person))
    _other(arrivals, event)


def _affiliation_ended(arrivals: Arrivals, event: Delivered) -> None:
    ended = facts.affiliation_ended_from(event.payload)
    target = facts.canonical_id(ended.ends) or ""
    arrivals.amendments.append(Amendment(event, END, target, ended.person, ended.organization))
    arrivals.name(event, ended.person, ended.organization)


def _policy(arrivals: Arrivals, event: Delivered) -> None:
    policy_json = facts.policy_json_from(event.payload)
    try:
        policy = Policy.parse_json(policy_json)
    except PolicyError:
        raise UnreadableFact("the policy breaks a rule of policies") from None
    arrivals.policies.append(Adoption(event, policy, policy_json))


def _erased(arrivals: Arrivals, event: Delivered) -> None:
    subject = facts.subject_from(event.payload)
    arrivals.others.append(event)
    arrivals.erased.append(Named(event.tenant, subject))
    arrivals.name(event, subject)


def _other(arrivals: Arrivals, event: Delivered) -> None:
    named = facts.parties_of_other(event.type, event.payload)
    arrivals.others.append(event)
    arrivals.name(event, *named)


_READERS: Final[Mapping[str, Callable[[Arrivals, Delivered], None]]] = {
    facts.TOUCHPOINT: _touchpoint,
    facts.VOIDED: _voided,
    facts.CORRECTED: _corrected,
    facts.PARTY_DESCRIBED: _described,
    facts.IDENTITY_LINKED: _linked,
    facts.IDENTITY_UNLINKED: _unlinked,
    facts.AFFILIATION_STARTED: _affiliation_started,
    facts.AFFILIATION_ENDED: _affiliation_ended,
    facts.POLICY_ADOPTED: _policy,
    facts.SUBJECT_ERASED: _erased,
}
