"""Making stream and read models anew from the journal."""

from dataclasses import dataclass
from typing import Final

import asyncpg
import nats.errors
from nats.js.errors import APIError, NotFoundError

from services.ledger.relay.rebuild import rebuild_stream
from services.operator import connecting
from services.operator.archiving.attaching import missing_archives
from services.operator.config import Installation
from services.operator.outcomes import Refused, Unavailable
from services.operator.restoring import SQL
from services.projector.attention.publishing import attention_stream
from services.projector.projections.rebuild import clear
from services.runtime import streams
from services.runtime.jetstream import ServerTooOld, check_server_version

JETSTREAM_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A journal whose stream or read models begin anew: from which position, up to which."""

    journal: str
    from_position: int
    head: int


async def rebuild_streams(
    installation: Installation, journal: str | None = None, from_position: int = 1
) -> list[Rebuilt]:
    """Delete and make anew the stream of a journal, or of every one; the relay fills it.

    Positions before `from_position`, and those in archive files, will not be in it. The stream
    keeps its number of replicas. Raises Refused, Usage, Unavailable.
    """
    rebuilt = []
    async with connecting.postgres(installation.journal_dsn, "RAPPORT_JOURNAL_DSN") as conn:
        detached = {row["journal"]: row["detached_through"] for row in await _journals(conn)}
    for name, head in (await _heads(installation, journal)).items():
        if not 1 <= from_position <= head + 1:
            raise Refused(f"journal {name} has positions 1 to {head}: --from-position beyond that")
        replicas = await _replicas(installation, streams.stream_name(name))
        first = max(from_position, detached.get(name, 0) + 1)
        try:
            await rebuild_stream(
                installation.nats_admin_url,
                name,
                first_position=first,
                replicas=replicas,
            )
        except ServerTooOld as error:
            raise Refused(str(error)) from error
        except (nats.errors.Error, APIError, OSError, TimeoutError) as error:
            raise Unavailable(f"the stream of {name} cannot be made anew: {error!r}") from error
        rebuilt.append(Rebuilt(name, first, head))
    return rebuilt


async def rebuild_attention_streams(
    installation: Installation, journal: str | None = None
) -> list[Rebuilt]:
    """Delete and make anew the attention stream of a journal, or of every one.

    Whoever leads the journal's attention fills it from the log, from number 1 on; `head` is the
    log's. Raises Refused, Unavailable.
    """
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn:
        rows = await conn.fetch(SQL["attention_logs"])
    heads = {row["journal"]: row["last_number"] for row in rows}
    if journal is not None:
        if journal not in heads:
            raise Refused(f"there is no attention log of a journal {journal}")
        heads = {journal: heads[journal]}
    url = installation.nats_admin_url
    for name in heads:
        stream = streams.attention_stream_name(name)
        replicas = await _replicas(installation, stream)
        async with connecting.nats_client(url, "RAPPORT_NATS_ADMIN_URL") as client:
            try:
                check_server_version(client)
                await attention_stream(client, name, replicas=replicas).recreate()
            except ServerTooOld as error:
                raise Refused(str(error)) from error
            except (nats.errors.Error, APIError, OSError, TimeoutError) as error:
                raise Unavailable(f"{stream} cannot be made anew: {error!r}") from error
    return [Rebuilt(name, 1, head) for name, head in heads.items()]


async def rebuild_views(installation: Installation, journal: str | None = None) -> list[Rebuilt]:
    """Delete the read models of a journal, or of every one; running projectors fill them.

    Until they have, queries see less than before: `min_position` says so, lists are building. Open
    attention items and their log stay: what subscribers were told stays told.
    Raises Refused, Usage, Unavailable.
    """
    heads = await _heads(installation, journal)
    await require_attached(installation, journal)
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn:
        for name in heads:
            await clear(conn, name)
    return [Rebuilt(name, 1, head) for name, head in heads.items()]


async def require_attached(installation: Installation, journal: str | None) -> None:
    """Refuse what reads all events of a journal, or of every one, while some are in files."""
    dsn = installation.journal_dsn
    async with connecting.postgres(dsn, "RAPPORT_JOURNAL_DSN") as conn:
        files = await missing_archives(conn, journal)
    if files:
        raise Refused(
            "old events are in files; attach them first, in this order (rapport journal attach): "
            + ", ".join(files)
        )


async def _heads(installation: Installation, journal: str | None) -> dict[str, int]:
    dsn = installation.journal_dsn
    async with connecting.postgres(dsn, "RAPPORT_JOURNAL_DSN") as conn:
        heads = {row["journal"]: row["head"] for row in await _journals(conn)}
    if journal is None:
        return heads
    if journal not in heads:
        raise Refused(f"there is no journal {journal}")
    return {journal: heads[journal]}


async def _journals(conn: asyncpg.Connection) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(SQL["journals"])
    return rows


async def _replicas(installation: Installation, stream: str) -> int:
    """How many copies a stream has now; 1 when there is none."""
    url = installation.nats_admin_url
    async with connecting.nats_client(url, "RAPPORT_NATS_ADMIN_URL") as client:
        try:
            info = await client.jetstream(timeout=JETSTREAM_TIMEOUT_S).stream_info(stream)
        except NotFoundError:
            return 1
        except (nats.errors.Error, APIError, OSError) as error:
            raise Unavailable(f"JetStream does not answer: {error!r}") from error
    return int(info.config.num_replicas or 1)
