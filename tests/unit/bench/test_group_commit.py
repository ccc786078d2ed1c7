"""The simulation of group commit at its limits, where arithmetic says what it must give."""

import dataclasses

import pytest

from bench.group_commit import Costs, Measured, Worker, fitted, predicted, predicted_stream

QUIET = Costs(
    client=Worker(0.0),
    ledger=Worker(200e-6),
    commit_s=600e-6,
    event_s=40e-6,
    flush_s=1e-3,
)


def test_one_caller_waits_for_everything_in_turn() -> None:
    assert predicted(QUIET, 1) == pytest.approx(1 / (200e-6 + 600e-6 + 40e-6 + 1e-3), rel=1e-6)


@pytest.mark.parametrize(("cpu_s", "event_s"), [(200e-6, 40e-6), (50e-6, 150e-6)])
def test_infinitely_many_callers_are_held_up_by_the_slowest_part_alone(
    cpu_s: float, event_s: float
) -> None:
    costs = dataclasses.replace(QUIET, ledger=Worker(cpu_s), event_s=event_s)
    found = predicted(costs, 20_000, calls=40_000, events_max=10**9)
    assert found == pytest.approx(1 / max(cpu_s, event_s), rel=0.05)


def test_more_callers_are_never_slower_and_groups_are_what_makes_them_faster() -> None:
    rates = [predicted(QUIET, callers) for callers in (1, 4, 16, 64, 256)]
    assert rates == sorted(rates)
    alone = [predicted(QUIET, callers, events_max=1) for callers in (4, 64)]
    # Without groups a commit and its answer serve one caller, however many there are.
    assert alone == pytest.approx([1 / (600e-6 + 40e-6 + 1e-3 + 100e-6)] * 2, rel=0.01)


def test_a_round_is_paid_once_by_all_calls_that_had_come() -> None:
    slow = dataclasses.replace(QUIET, ledger=Worker(200e-6, round_s=100e-6))
    # One to take the call in, one to answer it.
    assert 1 / predicted(slow, 1) - 1 / predicted(QUIET, 1) == pytest.approx(200e-6, rel=1e-6)
    assert predicted(slow, 4) < predicted(QUIET, 4) * 0.9
    assert predicted(slow, 256) > predicted(QUIET, 256) * 0.9


@pytest.mark.parametrize(
    ("client_s", "ledger_s", "event_s"),
    [(1e-3, 20e-3, 10e-6), (1e-3, 2e-3, 40e-6), (30e-3, 2e-3, 10e-6)],
)
def test_a_stream_is_as_fast_as_the_slowest_part_and_what_gathering_takes(
    client_s: float, ledger_s: float, event_s: float
) -> None:
    postgres_s = 500 * event_s
    stream = Measured(0.0, client_s, ledger_s, postgres_s)
    found = predicted_stream(stream, batches=500, events=500, flush_s=0.0)
    assert found == pytest.approx(1 / max(client_s, ledger_s, postgres_s), rel=0.07)


def test_a_stream_of_one_batch_goes_through_every_part_in_turn() -> None:
    stream = Measured(took_s=0.0, client_s=1e-3, ledger_s=2e-3, postgres_s=5e-3)
    found = predicted_stream(stream, batches=1, events=500, flush_s=1e-3)
    assert found == pytest.approx(1 / 9e-3)


def test_costs_come_out_of_three_measurements() -> None:
    one = Measured(took_s=4e-3, client_s=300e-6, ledger_s=600e-6, postgres_s=540e-6)
    busy = Measured(took_s=0.0, client_s=200e-6, ledger_s=400e-6, postgres_s=100e-6)
    large = Measured(took_s=0.0, client_s=0.0, ledger_s=0.0, postgres_s=500e-6 + 500 * 40e-6)
    costs = fitted(one, busy, large, events=500, in_flight=32)
    assert costs.event_s == pytest.approx(40e-6)
    assert costs.commit_s == pytest.approx(500e-6)
    # Alone a call takes a round of the client's loop and two of the ledger's; beside others less.
    assert costs.client.call_s + costs.client.round_s == pytest.approx(300e-6)
    assert costs.ledger.call_s + 2 * costs.ledger.round_s == pytest.approx(600e-6)
    assert costs.client.call_s < 200e-6
    assert costs.ledger.call_s < 400e-6
    assert predicted(costs, 1) == pytest.approx(1 / 4e-3, rel=1e-6)


def test_parts_that_are_no_faster_together_have_no_rounds() -> None:
    one = Measured(took_s=2e-3, client_s=300e-6, ledger_s=600e-6, postgres_s=540e-6)
    costs = fitted(one, one, one, events=500, in_flight=32)
    assert (costs.client, costs.ledger) == (Worker(300e-6), Worker(600e-6))


def test_rounds_that_nobody_shares_make_nothing_cheaper() -> None:
    # The ledger takes longer to answer a call than the client to send the next: each comes alone.
    one = Measured(took_s=4e-3, client_s=213e-6, ledger_s=850e-6, postgres_s=490e-6)
    busy = Measured(took_s=0.0, client_s=184e-6, ledger_s=513e-6, postgres_s=100e-6)
    large = Measured(took_s=0.0, client_s=0.0, ledger_s=0.0, postgres_s=5e-3)
    costs = fitted(one, busy, large, events=500, in_flight=32)
    for part, alone_s, rounds in ((costs.client, 213e-6, 1), (costs.ledger, 850e-6, 2)):
        assert part.call_s >= 0
        assert part.round_s >= 0
        assert part.call_s + rounds * part.round_s == pytest.approx(alone_s)
    assert predicted(costs, 1) == pytest.approx(1 / 4e-3, rel=1e-6)
    assert predicted(costs, 256) == pytest.approx(1 / 513e-6, rel=0.15)
