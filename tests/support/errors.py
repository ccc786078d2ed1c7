"""What a refused call says."""

from collections.abc import Awaitable

import grpc
import pytest
from rapport.errors import RapportError, error_of


async def refused(call: Awaitable[object]) -> RapportError:
    """The error that a call ends with; the test fails when it answers."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_of(caught.value)
