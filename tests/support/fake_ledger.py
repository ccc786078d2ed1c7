"""`python -m tests.support.fake_ledger`: the stand-in for the ledger."""

import asyncio

from tests.support.fake_service import main

if __name__ == "__main__":
    asyncio.run(main("ledger"))
