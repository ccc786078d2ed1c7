"""Follow a journal over NATS, for services that build something of their own from every event.

Run `rapport up --detach`, then `python examples/follow_nats.py`. Prints the first ten events.
"""

import asyncio

from rapport.events import EventSubscriber
from rapport.events.v1.touchpoint_pb2 import Touchpoint
from stack import NATS_URL


async def main() -> None:
    async with EventSubscriber(NATS_URL, "main", tenant="default", from_position=1) as events:
        count = 0
        async for event in events:
            # In one transaction: what you make of it, event.position and event.incarnation.
            what = event.message
            words = what.kind if isinstance(what, Touchpoint) else ""
            print(event.position, event.type.rpartition(".")[2], event.home, words)
            count += 1
            if count == 10:
                break


if __name__ == "__main__":
    asyncio.run(main())
