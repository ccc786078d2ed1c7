"""Back-pressure: how much may be on its way into the journals, in all and of one tenant."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from services.ledger.journal.outcomes import Busy
from services.runtime.limits import (
    IN_FLIGHT_BYTES_MAX,
    IN_FLIGHT_BYTES_PER_TENANT_MAX,
    IN_FLIGHT_EVENTS_MAX,
    IN_FLIGHT_EVENTS_PER_TENANT_MAX,
)

RETRY_AFTER_MS: Final = 250


@dataclass(frozen=True, slots=True)
class InFlightLimits:
    """Events and payload bytes taken in and not yet answered, at most."""

    events_max: int = IN_FLIGHT_EVENTS_MAX
    bytes_max: int = IN_FLIGHT_BYTES_MAX
    events_per_tenant_max: int = IN_FLIGHT_EVENTS_PER_TENANT_MAX
    bytes_per_tenant_max: int = IN_FLIGHT_BYTES_PER_TENANT_MAX


@dataclass(slots=True)
class _Load:
    events: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Admission:
    """Counts what is in flight; whoever entered must leave with the same numbers."""

    limits: InFlightLimits = field(default_factory=InFlightLimits)
    _all: _Load = field(default_factory=_Load)
    _tenants: defaultdict[str, _Load] = field(default_factory=lambda: defaultdict(_Load))

    def enter(self, tenant: str, events: int, size_bytes: int) -> None:
        """Take it in, or raise Busy and count nothing."""
        limits, mine = self.limits, self._tenants.get(tenant) or _Load()
        if (
            mine.events + events > limits.events_per_tenant_max
            or mine.bytes + size_bytes > limits.bytes_per_tenant_max
        ):
            raise Busy("the tenant has too much in flight", retry_after_ms=RETRY_AFTER_MS)
        if (
            self._all.events + events > limits.events_max
            or self._all.bytes + size_bytes > limits.bytes_max
        ):
            raise Busy("too much is in flight", retry_after_ms=RETRY_AFTER_MS)
        for load in (self._all, self._tenants[tenant]):
            load.events += events
            load.bytes += size_bytes

    def leave(self, tenant: str, events: int, size_bytes: int) -> None:
        """It was answered or dropped."""
        for load in (self._all, self._tenants[tenant]):
            load.events -= events
            load.bytes -= size_bytes
            assert load.events >= 0
            assert load.bytes >= 0
        if self._tenants[tenant].events == 0:
            del self._tenants[tenant]

    @property
    def events(self) -> int:
        """Events in flight now."""
        return self._all.events
