"""Versions of the read models, from an operator's command: its connections, and how it ends."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import asyncpg
import grpc
from rapport.errors import error_of
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

from services.operator import connecting
from services.operator.config import Installation
from services.operator.outcomes import Refused, Unavailable
from services.projector.api.tenants import LedgerTenants
from services.projector.app import MIGRATIONS
from services.projector.intake.ledger import LedgerJournals
from services.projector.projections.outcomes import IncarnationChanged
from services.projector.projections.rebuild import rebuild_pair
from services.projector.projections.statements import PairKey
from services.projector.versions.beside import LIVE, connect_beside
from services.projector.versions.building import Builder
from services.projector.versions.comparing import NotComparable
from services.projector.versions.progress import Tell
from services.projector.versions.reading import TooManyParked
from services.projector.versions.schema import Occupied, alone
from services.projector.versions.switching import SwitchRefused
from services.runtime import migrations
from services.runtime.clock import SystemClock, day_of
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import MESSAGE_BYTES_MAX
from services.runtime.names import InvalidName, relationship_of

_OWNER: Final = "RAPPORT_POSTGRES_DSN"
_CHANNEL_OPTIONS: Final = (("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What versions are built, compared and switched with; `live` and `holder` are plain."""

    builder: Builder
    live: asyncpg.Connection
    holder: asyncpg.Connection


@asynccontextmanager
async def workshop(
    installation: Installation, ledger_target: str, tell: Tell = lambda _: None
) -> AsyncIterator[Workshop]:
    """Everything needed, as the schemas' owner; nobody else has it meanwhile.

    Raises Refused, Usage, Unavailable.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        live = await enter(connecting.postgres(installation.owner_dsn, _OWNER))
        holder = await enter(connecting.postgres(installation.owner_dsn, _OWNER))
        await enter(_told())
        there, known = (
            await migrations.schema_version(live, LIVE),
            migrations.expected_version(MIGRATIONS),
        )
        if there != known:
            raise Refused(
                f"schema {LIVE} has version {there}, this program builds {known}: "
                "migrate it with the program that is to build"
            )
        conn = await connect_beside(installation.owner_dsn, "rapport-views-build")
        stack.callback(conn.terminate)
        # The session that builds holds the lock: when it ends, nothing of it goes on.
        await enter(alone(conn))
        channel = grpc.aio.insecure_channel(ledger_target, options=_CHANNEL_OPTIONS)
        stack.push_async_callback(channel.close)
        ledger = LedgerJournals(LedgerServiceStub(channel))
        yield Workshop(Builder(conn, ledger, SystemClock(), tell), live, holder)


@asynccontextmanager
async def owner(
    installation: Installation, *, lock: bool = True
) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection alone, with the lock of the versions unless only looked at."""
    async with (
        connecting.postgres(installation.owner_dsn, _OWNER) as conn,
        _told(),
        alone(conn) if lock else nullcontext(),
    ):
        yield conn


async def rebuild_relationship(
    installation: Installation, ledger_target: str, tenant: str, first: str, second: str
) -> int:
    """Write the rows of a tenant's raw pair anew from the ledger; from how many events.

    `first` and `second`: ids of people, with `people/` or without. Raises Refused, Usage,
    Unavailable.
    """
    try:
        people = (f"people/{each.removeprefix('people/')}" for each in (first, second))
        name = relationship_of(*people).name
    except InvalidName as error:
        raise Refused(str(error)) from error
    a, b = (f"people/{each}" for each in name.removeprefix("relationships/").split("~"))
    channel = grpc.aio.insecure_channel(ledger_target, options=_CHANNEL_OPTIONS)
    async with (
        connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn,
        _told(),
        channel,
    ):
        stub = LedgerServiceStub(channel)
        journal = await LedgerTenants(stub).journal_of(tenant)
        ledger = LedgerJournals(stub)
        infos = {info.journal: info for info in await ledger.journals()}
        events = await ledger.home(tenant, name, infos[journal].incarnation)
        today = day_of(SystemClock().now_us())
        try:
            return await rebuild_pair(conn, journal, PairKey(tenant, a, b), events, today=today)
        except LookupError as error:
            raise Refused(str(error)) from error


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """What the versions raise, as commands say it."""
    try:
        yield
    except Occupied:
        raise Refused("another command is at work on the versions of the views") from None
    except TooManyParked as error:
        raise Refused(
            f"{error} beside: this program cannot read what the journal holds; the live version "
            "is untouched"
        ) from error
    except (NotComparable, SwitchRefused) as error:
        raise Refused(str(error)) from error
    except IncarnationChanged as error:
        raise Refused(
            f"journal {error.journal} was restored: what was built beside is of a history that is "
            "gone; `rapport views build` begins anew"
        ) from error
    except RapportError as error:
        raise Refused(error.message) from error
    except grpc.aio.AioRpcError as error:
        if (told := error_of(error)).reason == Reason.ARCHIVED:
            raise Refused(
                f"journal {told.metadata['journal']} begins at position "
                f"{told.metadata['first_position']}, and earlier events are needed: attach their "
                "files with `rapport journal attach` and run the command again"
            ) from error
        raise Unavailable(
            f"the ledger does not answer ({error.code().name}): run the command again, it goes on "
            "where it was"
        ) from error
