"""`python -m tests.support.fake_projector`: the stand-in for the projector."""

import asyncio

from tests.support.fake_service import main

if __name__ == "__main__":
    asyncio.run(main("projector"))
