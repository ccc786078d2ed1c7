"""How long a relay is told to be behind."""

from services.ledger.relay.lag import Lag


def test_a_relay_that_keeps_up_while_the_head_moves_on_is_not_behind() -> None:
    lag = Lag()
    assert [lag.behind_s(position, position + 3, position) for position in range(0, 300, 3)] == (
        [0.0] * 100
    )


def test_a_relay_that_stands_still_is_behind_since_it_last_came_to_the_head() -> None:
    lag = Lag()
    assert lag.behind_s(10, 10, 1.0) == 0
    assert lag.behind_s(10, 12, 2.0) == 0, "the two are news"
    assert lag.behind_s(10, 12, 3.5) == 1.5
    assert lag.behind_s(10, 15, 9.0) == 7
    assert lag.behind_s(12, 15, 10.0) == 8, "15 was told before"
    assert lag.behind_s(15, 15, 11.0) == 0


def test_a_relay_that_begins_far_behind_counts_from_there() -> None:
    lag = Lag()
    assert lag.behind_s(0, 1_000, 5.0) == 0
    assert lag.behind_s(500, 1_000, 6.0) == 1
