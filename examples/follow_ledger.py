"""Follow a tenant's events over gRPC: catch up, then live, texts opened. Ends when caught up.

Run `rapport up --detach`, then `python examples/follow_ledger.py`.
"""

import asyncio

from rapport import Rapport
from stack import LEDGER


async def main() -> None:
    async with Rapport(LEDGER, tenant="default", principal="people/ann") as client:
        subscription = client.subscribe(
            from_position=1
        )  # one more than the last you have worked on
        count = 0
        async for message in subscription.messages():  # `async for event in subscription` for ever
            count += len(message.events.events)
            if subscription.caught_up:
                break
        print(count, "events up to position", message.read_through_position)


if __name__ == "__main__":
    asyncio.run(main())
