"""Make the version being built the live one, in one transaction; list and drop those before.

Tables are moved between schemas, so that every statement finds the others by the same name from
one moment on. Readers and writers pass the door of the views (`services.projector.door`): who is
inside is waited for, who comes meanwhile waits, two seconds at most before it is tried again.
What is no read model stays where it is.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Final

import asyncpg

from services.projector.projections.tables import CHECKPOINTS, READ_MODELS
from services.projector.versions import schema
from services.projector.versions.beside import LIVE, NEXT
from services.projector.versions.building import Builder
from services.projector.versions.comparing import bring_along
from services.projector.versions.schema import SQL, Phase

_OLD: Final = re.compile(rf"{LIVE}_old_([0-9]+)")
_TRIES: Final = 30
_AGAIN_S: Final = 0.5
# As long as readers may be kept waiting outside.
_DOOR_MS: Final = 2_000
# And as long as the switch may take once it is inside: together less than a reader waits for locks.
_INSIDE_S: Final = 2.5
# Less than Postgres waits before it looks for a deadlock: it is the switch that gives way.
_TABLE_MS: Final = 500
_NAMED_MAX: Final = 10


class SwitchRefused(Exception):  # noqa: N818 - says what happened
    """Nothing was switched; says why."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of the version that was live, and where the one that is now stands."""

    old: str
    positions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the read models that a schema holds; `note` is about how it came to be there."""

    schema: str
    state: str
    bytes: int
    note: dict[str, str]


async def switch(live: asyncpg.Connection, builder: Builder, *, by: str, why: str = "") -> Switched:
    """Switch to the version being built. `live` is an owner's plain connection.

    It must be built whole, and found equal to the live one unless `why` says for what reason it
    is to be taken though it differs; the comparison belongs right before, for operators may change
    the live version's rows. What both have parked is compared again here. Raises SwitchRefused,
    and what building raises.
    """
    if await schema.phase_of(builder.conn) is not Phase.FOLLOW:
        raise SwitchRefused("no version is built whole: run `rapport views build`")
    compared = await live.fetchval(f"SELECT compared FROM {NEXT}.build")  # noqa: S608
    if compared != "equal" and not why:
        raise SwitchRefused(
            "the version was not compared yet: run `rapport views compare`"
            if compared is None
            else "the version differs from the live one: see `rapport views compare`; "
            "--force with --reason takes it all the same"
        )
    for _ in range(_TRIES):
        await bring_along(live, builder)
        try:
            done = await _once(live, builder, by, why)
        except (TimeoutError, asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            done = None  # a reader, or the ledger, takes long: let the others pass, and try again
        if done is not None:
            return done
        await asyncio.sleep(_AGAIN_S)
    raise SwitchRefused(
        "somebody reads the views for longer than others may be kept waiting, or the version "
        "does not get to where the live one is: try again"
    )


async def _once(live: asyncpg.Connection, builder: Builder, by: str, why: str) -> Switched | None:
    async with live.transaction():
        await live.execute(f"SET LOCAL lock_timeout = {_DOOR_MS}")
        await live.execute(f"LOCK TABLE {LIVE}.{CHECKPOINTS} IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(_INSIDE_S):
            return await _exchange(live, builder, by, why)


async def _exchange(
    live: asyncpg.Connection, builder: Builder, by: str, why: str
) -> Switched | None:
    # 1. What was recorded until now. The version beside may be further: nothing goes back.
    await bring_along(live, builder)
    if not why and await live.fetchval(SQL["terms_behind"]):
        return None
    if await live.fetchval(SQL["positions_behind"]):
        return None
    if not why and (parked := await live.fetch(SQL["parked_differently"])):
        named = ", ".join(f"{row['journal']} {row['position']}" for row in parked[:_NAMED_MAX])
        raise SwitchRefused(
            f"one version alone has parked {len(parked)} events ({named}): see `rapport parked "
            "list`, build anew or retry, then `rapport views compare`"
        )
    positions = dict(await builder.conn.fetch(SQL["beside_positions"]))
    # 2. The tables change places.
    await live.execute(f"SET LOCAL lock_timeout = {_TABLE_MS}")
    numbers = [int(m[1]) for v in await versions(live) if (m := _OLD.fullmatch(v.schema))]
    old = f"{LIVE}_old_{max(numbers, default=0) + 1}"
    await live.execute(f"CREATE SCHEMA {old}")
    for table in READ_MODELS:
        await live.execute(f"ALTER TABLE {LIVE}.{table} SET SCHEMA {old}")
        await live.execute(f"ALTER TABLE {NEXT}.{table} SET SCHEMA {LIVE}")
    await live.execute(f"DROP SCHEMA {NEXT} CASCADE")
    # 3. What the version before was, for who lists it.
    note = {"live_until": str(await live.fetchval("SELECT now()")), "by": by, "forced": why}
    text = await live.fetchval("SELECT quote_literal($1)", json.dumps(note))
    await live.execute(f"COMMENT ON SCHEMA {old} IS {text}")
    await live.execute("SET LOCAL synchronous_commit = on")
    return Switched(old, positions)


async def versions(conn: asyncpg.Connection) -> list[Version]:
    """The versions there are, the oldest schema first."""
    found = []
    for name, note, size in await conn.fetch(SQL["versions"]):
        state = "live" if name == LIVE else "old"
        if name == NEXT:
            phase = await schema.phase_of(conn)
            state = "built" if phase is Phase.FOLLOW else f"building: {phase}"
        found.append(Version(name, state, size, json.loads(note) if note.startswith("{") else {}))
    return found


async def drop(conn: asyncpg.Connection, name: str | None) -> list[str]:
    """Drop an old version, or the one being built, by its schema; all old ones without a name.

    Raises SwitchRefused for the live one and for what is no version.
    """
    there = [version.schema for version in await versions(conn)]
    if name is None:
        names = [each for each in there if _OLD.fullmatch(each)]
    elif name == LIVE or name not in there:
        raise SwitchRefused(f"{name} is no version that can be dropped: see `rapport views list`")
    else:
        names = [name]
    for each in names:
        await schema.drop(conn, each)
    return names
