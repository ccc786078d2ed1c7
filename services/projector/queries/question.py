"""What is asked of balances: for which day, knowing what, under which policy."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.projector.queries.snapshot import Snapshot
from services.runtime.errors import Reason, Violation, invalid
from services.runtime.policy import AdoptedPolicy, Policy, choose_policy, default_policy

_POLICY: Final = re.compile(r"([a-z0-9_.-]{1,64})@([1-9][0-9]{0,9})(?:#([0-9a-f]{16}))?")
_DOCUMENTS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class PolicyName:
    """`name@version` or `name@version#hash`, and the field of the request that holds it."""

    label: str
    name: str
    version: int
    hash: str | None
    field: str

    @staticmethod
    def parse(label: str, field: str) -> "PolicyName":
        """The parts of a policy's name; FIELD_MALFORMED for anything else."""
        match = _POLICY.fullmatch(label)
        if match is None:
            raise invalid([Violation(field, "a policy is name@version or name@version#hash")])
        return PolicyName(label, match[1], int(match[2]), match[3], field)

    def fits(self, name: str, version: int, policy_hash: str) -> bool:
        """Whether a policy is the one named."""
        return (name, version) == (self.name, self.version) and self.hash in (None, policy_hash)


@dataclass(frozen=True, slots=True)
class AsOf:
    """A question as the caller put it. None: today, everything recorded, the policy in force.

    `known_at_us` is an instant, `known_at_position` a position; at most one of them is set.
    """

    on: int | None = None
    known_at_us: int | None = None
    known_at_position: int | None = None
    policy: PolicyName | None = None

    @property
    def names_knowledge(self) -> bool:
        """Whether it says what may be known."""
        return self.known_at_us is not None or self.known_at_position is not None


@dataclass(frozen=True, slots=True)
class Question:
    """A question that can be answered: a day, a position that knowledge ends at, a policy.

    `newest`: nothing recorded after `position` is in the snapshot, so stored sums may answer.
    """

    on: int
    position: int
    newest: bool
    policy: Policy


class PolicyShelf:
    """Parsed policies by hash: content never changes under a hash, so they are kept.

    One for the process; at most 256, the least recently used goes first.
    """

    def __init__(self) -> None:
        self._parsed: OrderedDict[str, Policy] = OrderedDict()

    async def adopted(self, snapshot: Snapshot, known_at: int) -> list[AdoptedPolicy]:
        """The tenant's adopted policies in force or not, without voided ones, oldest first."""
        if not snapshot.has_policies:
            return []
        rows = await snapshot.fetch("policies", known_at)
        missing = [row["position"] for row in rows if row["hash"] not in self._parsed]
        fresh: dict[str, Policy] = {}
        if missing:
            for row in await snapshot.fetch("policy_documents", missing):
                fresh[row["hash"]] = Policy.parse_json(row["policy_json"])
        adopted = [
            AdoptedPolicy(fresh.get(row["hash"]) or self._parsed[row["hash"]], row["position"])
            for row in rows
        ]
        for each in adopted:
            self._keep(each.policy)
        return adopted

    def _keep(self, policy: Policy) -> None:
        self._parsed[policy.hash] = policy
        self._parsed.move_to_end(policy.hash)
        while len(self._parsed) > _DOCUMENTS_MAX:
            self._parsed.popitem(last=False)


async def known_position(snapshot: Snapshot, as_of: AsOf) -> int:
    """The last position that may be known, at most the snapshot's."""
    if as_of.known_at_position is not None:
        return min(as_of.known_at_position, snapshot.position)
    if as_of.known_at_us is not None:
        return min(await snapshot.position_at(as_of.known_at_us), snapshot.position)
    return snapshot.position


async def resolve(snapshot: Snapshot, shelf: PolicyShelf, as_of: AsOf, today: int) -> Question:
    """The question to be answered; POLICY_UNKNOWN for a policy nobody adopted, as known then."""
    on = today if as_of.on is None else as_of.on
    position = await known_position(snapshot, as_of)
    policy = await policy_for(snapshot, shelf, as_of.policy, on, position)
    return Question(on, position, position >= snapshot.position, policy)


async def policy_for(
    snapshot: Snapshot, shelf: PolicyShelf, named: PolicyName | None, on: int, known_at: int
) -> Policy:
    """The policy named, or the one in force on a day, as known at a position."""
    adopted = await shelf.adopted(snapshot, known_at)
    if named is None:
        return choose_policy(adopted, on)
    policy = _named(named, adopted)
    if policy is None:
        raise invalid(
            [
                Violation(
                    named.field,
                    "no such policy: neither the default nor one adopted by the tenant",
                    Reason.POLICY_UNKNOWN,
                    {"policy": named.label},
                )
            ]
        )
    return policy


def _named(named: PolicyName, adopted: Iterable[AdoptedPolicy]) -> Policy | None:
    default = default_policy()
    # The built-in one first: default@1 never changes, whatever somebody adopted under its name.
    if named.fits(default.name, default.version, default.hash):
        return default
    fitting = [
        each
        for each in adopted
        if named.fits(each.policy.name, each.policy.version, each.policy.hash)
    ]
    return max(fitting, key=lambda each: each.position).policy if fitting else None
