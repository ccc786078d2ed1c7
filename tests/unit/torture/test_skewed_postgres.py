"""What the kit replaces in the database, it puts back as it was."""

from pathlib import Path

from tests.faults.torture.skewed_postgres import NOW, NOW_AS_MIGRATED

_MIGRATION = Path(__file__).parents[3] / "services/ledger/migrations/0001_journal.sql"


def test_the_database_gets_back_the_clock_that_it_was_migrated_with() -> None:
    made = NOW_AS_MIGRATED.strip().replace("CREATE OR REPLACE", "CREATE")
    assert made in _MIGRATION.read_text()


def test_a_skew_is_added_to_it() -> None:
    assert NOW.format(skew_us=-5).endswith("- 946684800000000 + (-5);\n")
