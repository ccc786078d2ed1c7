"""Whatever a toy ledger that keeps every promise does, and whatever is then broken."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.torture.checker import check
from tests.support.torture_histories import valid_history
from tests.support.torture_plants import PLANTS, Plant, planted

_SEEDS = st.integers(0, 2**32 - 1)
_STEPS = st.integers(0, 40)


@settings(max_examples=40, deadline=None)
@given(_SEEDS, _STEPS)
def test_a_history_that_keeps_every_promise_is_never_blamed(seed: int, steps: int) -> None:
    assert check(valid_history(seed, steps)) == []


@settings(max_examples=150, deadline=None)
@given(_SEEDS, _STEPS, st.sampled_from(list(PLANTS)))
def test_whatever_is_broken_wherever_is_caught_by_its_rule_alone(
    seed: int, steps: int, plant: Plant
) -> None:
    found = check(planted(plant, valid_history(seed, steps), seed))
    assert {violation.rule for violation in found} == {PLANTS[plant]}, found
