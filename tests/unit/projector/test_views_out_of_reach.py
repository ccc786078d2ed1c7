"""What callers are told when the read models cannot be reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from services.projector.queries.snapshot import Views
from services.runtime.errors import RapportError


class LostPool:
    """Every connection of it is lost before it answers."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncIterator[None]:
        for error in (self._error,):
            raise error
        yield


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        asyncpg.AdminShutdownError(),
        # The driver lost track of the protocol when the server ended the connection.
        asyncpg.InternalClientError("cannot switch to state 11"),
    ],
)
async def test_a_connection_that_is_lost_again_and_again_is_unavailable(error: Exception) -> None:
    views: Any = Views(LostPool(error))
    with pytest.raises(RapportError) as refused:
        await views.position("main")
    assert refused.value.reason == "UNAVAILABLE"
