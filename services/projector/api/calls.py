"""What every query begins with: who asks, in which journal, and how long it may wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rapport.v1 import capital_service_pb2 as capital

from services.projector.api.fields import Fields
from services.projector.api.tenants import TenantDirectory
from services.projector.queries.question import AsOf, PolicyShelf, Question, resolve
from services.projector.queries.snapshot import Ahead, Snapshot, Views, ViewsBehind
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

    `positions` is told by the intake whenever a journal's checkpoint moved. `signing_key` signs
    bundles; without one there are none.
    """

    views: Views
    positions: Positions
    tenants: TenantDirectory
    keys: Keys
    shelf: PolicyShelf = field(default_factory=PolicyShelf)
    clock: Clock = field(default_factory=SystemClock)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    signing_key: Ed25519PrivateKey | None = None

    def today(self) -> int:
        """The day it is now."""
        return day_of(self.clock.now_us())

    async def drain(self) -> None:
        """End streams that have no end of their own."""
        self.draining.set()

    async def begin(self, context: Context, min_position: int) -> "Call":
        """The call, once the views have reached `min_position`.

        Raises CREDENTIALS_MISSING without a tenant, TENANT_UNKNOWN, VIEW_BEHIND.
        """
        caller = current_caller()
        tenant = caller.require_tenant()
        journal = await self.tenants.journal_of(tenant)
        until_s = asyncio.get_running_loop().time() + wait_s(context.time_remaining())
        call = Call(caller, tenant, journal, self.views, self.positions, min_position, until_s)
        await call.wait()
        return call

    async def begin_as_of(
        self, fields: Fields, message: capital.AsOf, context: Context
    ) -> "tuple[AsOf, Call]":
        """The same for a request with an `as_of`, once no field of it is wrong."""
        as_of = fields.as_of(message)
        min_position = fields.position("as_of.min_position", message.min_position)
        fields.done()
        return as_of, await self.begin(context, min_position)

    async def begin_asked(
        self, fields: Fields, request: Any, context: Context
    ) -> "tuple[AsOf, Call]":
        """The same where `min_position`, and `on` if there is one, may stand beside the `as_of`."""
        as_of = fields.as_of(request.as_of)
        if "on" in request.DESCRIPTOR.fields_by_name and request.HasField("on"):
            if as_of.on is not None:
                fields.wrong("on", "and as_of.on say the same: give one of them")
            as_of = replace(as_of, on=fields.day("on", request, "on"))
        min_position = max(
            fields.position("min_position", request.min_position),
            fields.position("as_of.min_position", request.as_of.min_position),
        )
        fields.done()
        return as_of, await self.begin(context, min_position)

    async def resolve(self, snapshot: Snapshot, as_of: AsOf) -> Question:
        """The question to be answered; POLICY_UNKNOWN for a policy nobody adopted."""
        return await resolve(snapshot, self.shelf, as_of, self.today())


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tenant that exists.

    It sees the views at `min_position` or beyond, and waits for that until `until_s` of the loop.
    """

    caller: Caller
    tenant: str
    journal: str
    views: Views
    positions: Positions
    min_position: int
    until_s: float

    async def wait(self) -> None:
        """Return once the views are said to be there; VIEW_BEHIND when that takes too long."""
        left_s = self.until_s - asyncio.get_running_loop().time()
        await self.positions.wait_for(self.journal, self.min_position, left_s)

    async def read[T](
        self, work: Callable[[Snapshot], Awaitable[T]], *, ahead: Ahead | None = None
    ) -> T:
        """What `work` makes of one snapshot of the tenant's views; else VIEW_BEHIND."""
        while True:
            try:
                return await self.views.read(
                    self.journal, self.tenant, work, min_position=self.min_position, ahead=ahead
                )
            except ViewsBehind:
                # They were set back since it was said: how far they are now has to be read.
                self.positions.doubt(self.journal)
                await self.wait()


def wait_s(remaining_s: float | None) -> float:
    """How long a call may wait: until its deadline less a margin, or 30 s without one."""
    if remaining_s is None:
        return MIN_POSITION_WAIT_MS / 1000
    return max(remaining_s - min(DEADLINE_MARGIN_MS / 1000, remaining_s / 4), 0.0)
