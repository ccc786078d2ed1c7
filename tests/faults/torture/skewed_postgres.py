"""The clock that PostgreSQL takes the time of recording from, moved while everybody appends."""

from typing import Final

from tests.faults.torture.stage import Stage

# As services/ledger/migrations/0001_journal.sql has it; a test compares them.
NOW_AS_MIGRATED: Final = """
CREATE OR REPLACE FUNCTION journal.now_us() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 946684800000000;
"""
NOW: Final = NOW_AS_MIGRATED.replace(";\n", " + ({skew_us});\n")


async def set_now(stage: Stage, skew_us: int) -> None:
    """Move the clock that the database takes the time of recording from."""
    await stage.owner(NOW.format(skew_us=skew_us) if skew_us else NOW_AS_MIGRATED)
