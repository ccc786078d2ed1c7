"""Freezing closed partitions: vacuumed once for good, and analysed."""

from services.operator import connecting
from services.operator.archiving.detaching import SQL
from services.operator.config import Installation


async def freeze(installation: Installation) -> list[str]:
    """Freeze every closed partition that is not yet; their names, in order.

    Closed: some journal is beyond it and none stands in it. Journals that come to it later thaw a
    part of it: then it is frozen again. Neither readers nor writers wait.
    Raises Usage, Unavailable.
    """
    frozen = []
    dsn = installation.owner_dsn
    async with connecting.postgres(dsn, "RAPPORT_POSTGRES_DSN") as owner:
        for row in await owner.fetch(SQL["closed_partitions"]):
            if row["frozen_journals"] >= row["journals_beyond"]:
                continue
            # Not in a transaction, as VACUUM wants it; the name is one the schema gave.
            await owner.execute(f'VACUUM (FREEZE, ANALYZE) journal."{row["name"]}"')
            await owner.execute(SQL["note_frozen"], row["from_position"], row["journals_beyond"])
            frozen.append(row["name"])
    return frozen
