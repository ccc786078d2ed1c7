"""Two tenants of one installation, a small and a large one, loaded through the ledger."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rapport import Rapport
from rapport.errors import RapportError

from bench.made import Cast, made_events
from deploy.local.running import run_detached
from deploy.local.state import StackState

PRINCIPAL: Final = "services/bench"
SEED: Final = 20_000_101
# How long the projector may take for what the ledger took last.
_CATCH_UP_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Size:
    """A tenant to be made: its name, its relationships and how often people are in touch."""

    tenant: str
    relationships: int
    touches: int

    @staticmethod
    def parse(tenant: str, text: str) -> "Size":
        """`1000x20000`: relationships, then entries."""
        relationships, touches = text.split("x")
        return Size(tenant, int(relationships), int(touches))

    @property
    def events(self) -> int:
        """How many events that makes."""
        return Cast(self.relationships).introductions + self.touches


async def loaded_stack(
    directory: Path, sizes: list[Size], say: Callable[[str], None]
) -> StackState:
    """The stack in `directory`, up, with the tenants in it; what is loaded is not loaded again."""
    state = await run_detached(directory)
    for size in sizes:
        done = directory / f"loaded-{size.tenant}.json"
        if done.exists():
            if json.loads(done.read_text())["size"] != asdict(size):
                raise SystemExit(f"{directory} holds another tenant {size.tenant}")
            continue
        took_s, position = await _load(state, size, _until(directory), say)
        caught_up_s = await _wait_for_views(state, size, position)
        done.write_text(
            json.dumps({"size": asdict(size), "ledger_s": took_s, "views_s": caught_up_s})
        )
        say(f"{size.tenant}: in the views {caught_up_s:.0f} s after the last append")
    return state


def client_of(state: StackState, tenant: str | None) -> Rapport:
    """A client of the stack, for a tenant."""
    return Rapport(
        state.endpoints["ledger"],
        state.endpoints["projector"],
        tenant=tenant,
        principal=PRINCIPAL,
    )


def _until(directory: Path) -> datetime:
    """When the made past ends: when the folder was first loaded, so that a load can go on."""
    kept = directory / "until"
    if not kept.exists():
        kept.write_text(datetime.now(UTC).replace(microsecond=0).isoformat())
    return datetime.fromisoformat(kept.read_text())


async def _load(
    state: StackState, size: Size, until: datetime, say: Callable[[str], None]
) -> tuple[float, int]:
    """Seconds the ledger took, and the last position."""
    async with client_of(state, None) as operator:
        await operator.create_tenant(size.tenant)
    position = sent = 0
    begun_s = said_s = time.monotonic()
    async with client_of(state, size.tenant) as client:
        batches = made_events(SEED, size.relationships, size.events, until=until)
        async for verdict in client.ingest(batches):
            if verdict.refused is not None:
                raise verdict.refused
            assert verdict.appended is not None
            position = verdict.appended.last_position
            sent += len(verdict.events)
            if (now_s := time.monotonic()) - said_s > 10:
                said_s = now_s
                say(f"{size.tenant}: {sent} of {size.events}, {sent / (now_s - begun_s):.0f}/s")
    took_s = time.monotonic() - begun_s
    say(f"{size.tenant}: {sent} events in {took_s:.0f} s, {sent / took_s:.0f}/s")
    return took_s, position


async def _wait_for_views(state: StackState, size: Size, position: int) -> float:
    """Seconds until the views are at a position."""
    begun_s = time.monotonic()
    ours, theirs = Cast(size.relationships).pair(0)
    async with client_of(state, size.tenant) as client:
        while time.monotonic() - begun_s < _CATCH_UP_S:
            try:
                await client.balance(ours, theirs, min_position=position)
            except RapportError as error:
                if error.reason not in ("VIEW_BEHIND", "DEADLINE_EXCEEDED", "UNAVAILABLE"):
                    raise
                continue
            return time.monotonic() - begun_s
    raise SystemExit(f"the views are not at {position} after {_CATCH_UP_S:.0f} s")
