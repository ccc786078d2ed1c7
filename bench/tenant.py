"""The tenant that most rows work on: made, its people described before anything is measured."""

from typing import Final

from bench.loading import LoadProcess
from bench.made import Cast

RELATIONSHIPS: Final = 10_000
BATCH_EVENTS: Final = 500
# How far back its touchpoints go. All on one day, they would saturate each other.
DAYS: Final = 730


async def begun(load: LoadProcess, ledger: str, *, seed: int, events: int) -> None:
    """Describe everybody; `prepare` then gives up to `events` touchpoints and what goes with them.

    Needs the ledger; the read models may still be behind afterwards.
    """
    introductions = Cast(RELATIONSHIPS).introductions
    await load.do(
        "source",
        seed=seed,
        relationships=RELATIONSHIPS,
        events=introductions + events,
        days=DAYS,
    )
    await load.do("prepare", count=introductions, batch=BATCH_EVENTS)
    await load.do("ingest", target=ledger)
