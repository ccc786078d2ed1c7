"""Is a person one of ours or outside, as described today?"""

from rapport.events.v1 import people_pb2, touchpoint_pb2

from services.ledger.api.kinds import HomeLog
from services.ledger.domain.targets import PARTY_DESCRIBED, VOIDED
from services.runtime.clock import Clock
from services.runtime.names import tenant_home


class Sides:
    """Sides of people of tenants, each looked up once: one of these lives as long as one call."""

    def __init__(self, log: HomeLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._known: dict[tuple[str, str], bool] = {}

    async def is_internal(self, tenant: str, person: str) -> bool:
        """Whether the description in force says INTERNAL; False for somebody nobody described.

        In force is the one with the highest (occurred_at, position) not after now, voided ones left
        out. Source: the domain contract, section 3, PartyDescribed.
        """
        key = (tenant, person)
        if key not in self._known:
            self._known[key] = await self._look(tenant, person)
        return self._known[key]

    async def _look(self, tenant: str, person: str) -> bool:
        described: dict[str, tuple[int, int, int]] = {}
        voided: set[str] = set()
        # A void that came before its target stands in the tenant's home.
        for home in (person, tenant_home(tenant)):
            types = [PARTY_DESCRIBED, VOIDED]
            async for chunk in self._log.read_home(tenant, home, types=types):
                for event in chunk.events:
                    if event.type == VOIDED:
                        voided.add(touchpoint_pb2.Voided.FromString(event.payload).target)
                    elif event.occurred_at_us <= self._clock.now_us():
                        party = people_pb2.PartyDescribed.FromString(event.payload)
                        at = (event.occurred_at_us, event.position, party.side)
                        described[event.event_id] = at
            if not described:
                return False
        left = [at for event_id, at in described.items() if event_id not in voided]
        return bool(left) and max(left)[2] == people_pb2.SIDE_INTERNAL
