"""Record a meeting and read what the relationship is worth, line by line.

Run `rapport up --detach`, then `python examples/record_and_ask.py`.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from rapport import Rapport, RapportError, touchpoint
from stack import LEDGER, PROJECTOR


async def main() -> None:
    async with Rapport(LEDGER, PROJECTOR, tenant="default", principal="people/ann") as client:
        meeting = touchpoint(
            "ann",
            "dana",
            "meeting.in_person",
            occurred_at=datetime.now(UTC) - timedelta(hours=1),
            mutual=True,
            minutes=45,
            prep_minutes=20,
            note="Her daughter graduates in May.",
        )
        recorded = await client.append(meeting)  # repeats itself safely while the ledger is away
        print("position", recorded.last_position)

        # min_position: the answer holds what was just recorded.
        receipt = await client.explain("ann", "dana", min_position=recorded.last_position)
        for line in receipt.lines:
            print(
                f"  {line.kind:<20} KNOW {line.know_left_mp:>7} mp  CARE {line.care_left_mp:>7} mp"
            )
        balance = receipt.balance
        print(f"  {'sum':<20} KNOW {balance.know_mp:>7} mp  CARE {balance.care_mp:>7} mp")

        try:
            await client.append(touchpoint("ann", "dana", "no.such.kind"))
        except RapportError as error:
            print(error.reason, "definite" if error.is_definite else "unknown", error.violations)


if __name__ == "__main__":
    asyncio.run(main())
