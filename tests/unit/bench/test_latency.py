"""Latencies that do not leave out what a slow server makes others wait."""

import pytest

from bench.latency import corrected, intended_starts, percentile


def test_calls_at_a_steady_rate_are_meant_to_start_evenly() -> None:
    assert intended_starts(4, 5) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_call_sent_late_counts_from_when_it_was_meant_to_start() -> None:
    # The server stood still for a second: the second call was sent 0.9 s late and took 0.1 s.
    intended, ended = [0.0, 0.1], [1.0, 1.1]
    assert corrected(intended, ended) == [1.0, 1.0]


def test_a_latency_for_every_start_or_an_error() -> None:
    with pytest.raises(ValueError, match="argument"):
        corrected([0.0, 1.0], [1.0])


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.501, 51)]
)
def test_a_percentile_is_the_smallest_value_that_its_share_does_not_exceed(
    share: float, expected: float
) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.5)])
def test_there_is_no_percentile_of_nothing(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        percentile(values, share)
