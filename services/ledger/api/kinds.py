"""Which kinds a tenant has: those of the default policy and of every policy it ever adopted.

Kinds are only ever added (a voided adoption keeps its kinds, so that an append once accepted can be
sent again for ever). So what is in memory is never wrong, at most incomplete, and only a kind that
is missing asks the journal, whichever replica recorded the adoption.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from rapport.events.v1 import practice_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.domain.events import Chunk
from services.ledger.domain.targets import POLICY_ADOPTED
from services.runtime.logs import get_logger
from services.runtime.names import tenant_home
from services.runtime.policy import Policy, PolicyError, default_policy

TENANTS_MAX: Final = 10_000

_log = get_logger(__name__)


class HomeLog(Protocol):
    """What this needs of the journal."""

    def read_home(
        self,
        tenant: str,
        home: str,
        *,
        from_revision: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        types: Collection[str] = (),
        kinds: Collection[str] = (),
    ) -> AsyncGenerator[Chunk]: ...


@dataclass(slots=True)
class _Adopted:
    kinds: set[str] = field(default_factory=set)
    read_through: int = 0  # revision of the tenant's home


class KnownKinds:
    """Kinds by tenant, for the tenants most recently asked about."""

    def __init__(self, log: HomeLog, *, tenants_max: int = TENANTS_MAX) -> None:
        self._log = log
        self._tenants_max = tenants_max
        self._default = frozenset(default_policy().kinds)
        self._tenants: OrderedDict[str, _Adopted] = OrderedDict()

    def has(self, tenant: str, kind: str) -> bool:
        """Whether the tenant has the kind, as far as is known here."""
        if kind in self._default:
            return True
        adopted = self._tenants.get(tenant)
        return adopted is not None and kind in adopted.kinds

    async def learn(self, tenant: str, kinds: Iterable[str]) -> None:
        """See to it that `has` knows about `kinds`: reads adoptions not read yet, if need be."""
        if all(self.has(tenant, kind) for kind in kinds):
            return
        adopted = self._tenants.setdefault(tenant, _Adopted())
        self._tenants.move_to_end(tenant)
        while len(self._tenants) > self._tenants_max:
            self._tenants.popitem(last=False)
        chunks = self._log.read_home(
            tenant,
            tenant_home(tenant),
            from_revision=adopted.read_through + 1,
            types=[POLICY_ADOPTED],
        )
        async for chunk in chunks:
            for event in chunk.events:
                adopted.kinds |= _kinds_of(event.payload, event.event_id)
            adopted.read_through = max(adopted.read_through, chunk.read_through)


def kinds_named(events: Sequence[pb.NewEvent]) -> set[str]:
    """The kinds that events of a request name."""
    kinds = {event.touchpoint.kind for event in events if event.HasField("touchpoint")}
    kinds |= {e.corrected.touchpoint.kind for e in events if e.HasField("corrected")}
    return kinds


def _kinds_of(payload: bytes, event_id: str) -> set[str]:
    try:
        adopted = practice_pb2.PolicyAdopted.FromString(payload)
        return set(Policy.parse_json(adopted.policy_json).kinds)
    except PolicyError:
        # Accepted once, by another version: its kinds cannot be known here.
        _log.error("adopted policy cannot be read", event_id=event_id)
        return set()
