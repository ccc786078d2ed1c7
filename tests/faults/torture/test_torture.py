"""A run of the torture kit, always the same one: `make torture` has longer and other ones.

Three minutes are too short for every kind: it prints those whose turn never came.
"""

from pathlib import Path

import pytest

from tests.faults.torture.__main__ import show
from tests.faults.torture.run import torture
from tests.support.databases import Background
from tests.support.servers import TestRun

SEED = 20260101
MINUTES = 3.0


@pytest.mark.timeout(1200)
# nats-py leaves it to the collector to close what a fault has cut off.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_three_minutes_of_faults_drawn_by_a_seed_break_no_promise(
    test_run: TestRun, background: Background, tmp_path: Path
) -> None:
    outcome = await torture(SEED, MINUTES, run=test_run, background=background, directory=tmp_path)
    show(outcome, tmp_path)
    assert outcome.violations == []
    assert outcome.events > 1_000
    # Faults that keep each other from happening are no run under fire.
    assert sum(outcome.faults.values()) > 2 * sum(outcome.faults_failed.values())
