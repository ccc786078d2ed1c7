"""Load many events: the source is read no faster than the ledger takes them.

Run `rapport up --detach`, then `python examples/bulk_load.py`. A second run adds nothing: the event
ids are derived from the rows.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rapport import Rapport, derived_event_id, touchpoint
from rapport.v1.ledger_service_pb2 import NewEvent
from stack import LEDGER

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def events(number: int) -> Iterator[NewEvent]:
    for row in range(number):
        yield touchpoint(
            "ann",
            f"customer-{row % 100}",
            "message.personal",
            event_id=derived_event_id("bulk-example", str(row)),
            occurred_at=BEGIN + timedelta(minutes=row),
        )


async def main() -> None:
    appended = replayed = 0
    async with Rapport(LEDGER, tenant="default", principal="services/bulk-example") as client:
        async for verdict in client.ingest(events(10_000)):
            if verdict.refused is not None:
                print("batch", verdict.batch, "refused:", verdict.refused)
                continue
            replayed += verdict.replayed
            appended += len(verdict.events) - verdict.replayed
    print(appended, "appended,", replayed, "were there before")


if __name__ == "__main__":
    asyncio.run(main())
