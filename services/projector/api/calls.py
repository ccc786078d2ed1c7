"""What every query begins with: who asks, in which journal, and how long it may wait."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc

from services.projector.api.tenants import TenantDirectory
from services.projector.queries.question import PolicyShelf
from services.projector.queries.snapshot import Snapshot, Views
from services.projector.queries.waiting import Positions
from services.runtime.caller import Caller, current_caller
from services.runtime.clock import Clock, SystemClock, day_of
from services.runtime.limits import DEADLINE_MARGIN_MS, MIN_POSITION_WAIT_MS
from services.runtime.vault import SubjectKeys

type Context = grpc.aio.ServicerContext[Any, Any]


class Keys(Protocol):
    """The key store, as far as answering needs it: services.runtime.vault.Vault."""

    async def keys_for(self, tenant: str, subjects: Any, create: bool) -> SubjectKeys:
        """The keys of some subjects, for one call."""
        ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handlers stand on.

    `positions` is told by the intake whenever a journal's checkpoint moved.
    """

    views: Views
    positions: Positions
    tenants: TenantDirectory
    keys: Keys
    shelf: PolicyShelf = field(default_factory=PolicyShelf)
    clock: Clock = field(default_factory=SystemClock)

    def today(self) -> int:
        """The day it is now."""
        return day_of(self.clock.now_us())

    async def begin(self, context: Context, min_position: int) -> "Call":
        """The call, once the views have reached `min_position`.

        Raises CREDENTIALS_MISSING without a tenant, TENANT_UNKNOWN, VIEW_BEHIND.
        """
        caller = current_caller()
        tenant = caller.require_tenant()
        journal = await self.tenants.journal_of(tenant)
        await self.positions.wait_for(journal, min_position, wait_s(context.time_remaining()))
        return Call(caller, tenant, journal, self.views)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tenant that exists."""

    caller: Caller
    tenant: str
    journal: str
    views: Views

    async def read[T](self, work: Callable[[Snapshot], Awaitable[T]]) -> T:
        """What `work` makes of one snapshot of the tenant's views."""
        return await self.views.read(self.journal, self.tenant, work)


def wait_s(remaining_s: float | None) -> float:
    """How long a call may wait: until its deadline less a margin, or 30 s without one."""
    if remaining_s is None:
        return MIN_POSITION_WAIT_MS / 1000
    return max(remaining_s - min(DEADLINE_MARGIN_MS / 1000, remaining_s / 4), 0.0)
