"""The checker of recorded histories: silent about valid ones, and never about a planted fault."""

import pytest

from tests.faults.torture.checker import RULES, check
from tests.support.torture_histories import valid_history
from tests.support.torture_plants import PLANTS, Plant, planted

_SEEDS = range(2)


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_valid_history_breaks_no_promise(seed: int) -> None:
    assert check(valid_history(seed)) == []


@pytest.mark.parametrize(
    ("plant", "rule"), PLANTS.items(), ids=[plant.__name__ for plant in PLANTS]
)
def test_a_planted_fault_is_caught_by_the_rule_meant_for_it_and_no_other(
    plant: Plant, rule: str
) -> None:
    for seed in _SEEDS:
        found = check(planted(plant, valid_history(seed), seed))
        assert {violation.rule for violation in found} == {rule}, found


def test_every_rule_has_a_planted_fault() -> None:
    rules = {rule for names in RULES for rule in names.split(" and ")}
    assert rules == set(PLANTS.values())


def test_a_violation_names_the_records_that_show_it() -> None:
    records = valid_history(1)
    for plant, rule in PLANTS.items():
        broken = planted(plant, records, 1)
        for violation in check(broken):
            assert violation.records or rule in ("sound", "final"), violation
            assert all(1 <= n <= len(broken) for n in violation.records)


def test_a_history_that_was_broken_off_is_blamed_for_that_alone() -> None:
    records = valid_history(2)
    for length in range(1, len(records), 7):
        (violation,) = check(records[:length])
        assert violation.rule == "sound"
