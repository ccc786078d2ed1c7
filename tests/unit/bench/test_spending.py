"""What parts take of the machine, by the call."""

import os
import time

import pytest

from bench.spending import LIMIT_CPU, Spending, ceiling, one, parts_of


def test_the_first_time_warms_up_and_the_median_of_the_others_is_told() -> None:
    spent = Spending({})
    for seconds in (9.0, 1.0, 2.0, 6.0):
        spent.add({}, 1_000, client=seconds)
    assert spent.notes() == {"cpu_us_client": pytest.approx(2_000)}
    assert parts_of(spent.notes(LIMIT_CPU), LIMIT_CPU) == {"client": pytest.approx(2_000)}
    assert parts_of(spent.notes(), LIMIT_CPU) == {}


def test_what_a_process_takes_is_counted_by_the_kernel() -> None:
    spent = Spending({"self": one(os.getpid())})
    before, until_s = spent.now(), time.process_time() + 0.2
    while time.process_time() < until_s:
        pass
    spent.add(before, 100)
    assert spent.notes()["cpu_us_self"] >= 0.19 / 100 * 1e6


def test_all_cores_at_work_make_the_ceiling() -> None:
    assert ceiling([300.0, 100.0], 2) == 5_000
