"""Reading the views while Postgres has trouble."""

from typing import Any, Never

import asyncpg
import pytest

from services.projector.queries.snapshot import Snapshot, Views
from services.runtime.errors import RapportError, Reason


class NoPool:
    """A pool that gives no connection."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.asked = 0

    def acquire(self, *, timeout: float) -> Any:
        """Fails when entered."""
        return self

    async def __aenter__(self) -> Never:
        self.asked += 1
        raise self.error

    async def __aexit__(self, *_: object) -> None:
        return None


async def nothing(_: Snapshot) -> None:
    return None


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ConnectionRefusedError(), 3),
        (asyncpg.CannotConnectNowError(), 3),
        (asyncpg.QueryCanceledError(), 1),
        (TimeoutError(), 1),
    ],
)
async def test_a_database_out_of_reach_or_too_slow_is_unavailable(
    error: BaseException, tries: int
) -> None:
    pool = NoPool(error)
    with pytest.raises(RapportError) as caught:
        await Views(pool).read("main", "acme", nothing)
    assert caught.value.reason is Reason.UNAVAILABLE
    assert caught.value.retry_after_ms
    assert pool.asked == tries
    with pytest.raises(RapportError):
        await Views(NoPool(error)).position("main")


async def test_a_fault_of_ours_is_not_called_unavailable() -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await Views(NoPool(asyncpg.UndefinedTableError("x"))).read("main", "acme", nothing)
