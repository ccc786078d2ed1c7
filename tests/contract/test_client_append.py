"""What the client does about refusals of an append, over a real socket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from rapport import Rapport, RapportError, RetryPolicy, touchpoint

from tests.contract.client_server import FakeLedger, refuse, serve

QUICK = RetryPolicy(first_delay_s=0.001, delay_max_s=0.002)


@dataclass
class Side:
    ledger: FakeLedger
    client: Rapport


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    ledger = FakeLedger()  # type: ignore[abstract]  # the calls these tests make
    server, target = await serve(ledger)
    client = Rapport(target, principal="people/ann", tenant="default", retry=QUICK)
    async with client:
        yield Side(ledger, client)
    await server.stop(0)


def fails(times: int, code: grpc.StatusCode, reason: str, retry_ms: int | None = None) -> Any:
    left = [times]

    async def hook(context: Any) -> None:
        if left[0]:
            left[0] -= 1
            await refuse(context, code, reason, retry_ms)

    return hook


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_PASSED"),
    ],
)
async def test_a_passing_refusal_is_tried_again_until_it_is_recorded(
    side: Side, code: grpc.StatusCode, reason: str
) -> None:
    side.ledger.before_append = fails(2, code, reason, 1)
    answer = await side.client.append(touchpoint("ann", "bob", "call"))
    assert (side.ledger.calls, answer.last_position) == (3, 1)
    assert not answer.events[0].replayed


async def test_an_append_whose_answer_was_lost_is_sent_again_with_the_same_ids(side: Side) -> None:
    side.ledger.after_append = fails(1, grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN", 1)
    answer = await side.client.append([touchpoint("ann", "bob", "call") for _ in range(3)])
    assert [event.replayed for event in answer.events] == [True] * 3
    assert len(side.ledger.positions) == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "KIND_UNKNOWN"),
        (grpc.StatusCode.ABORTED, "REVISION_CONFLICT"),
        (grpc.StatusCode.ALREADY_EXISTS, "EVENT_ID_TAKEN"),
        (grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
async def test_a_definite_error_is_raised_at_once(
    side: Side, code: grpc.StatusCode, reason: str
) -> None:
    side.ledger.before_append = fails(1, code, reason)
    with pytest.raises(RapportError) as caught:
        await side.client.append(touchpoint("ann", "bob", "call"))
    assert (caught.value.reason, caught.value.code) == (reason, code)
    assert caught.value.is_definite
    assert side.ledger.calls == 1


async def test_time_running_out_after_a_lost_answer_leaves_the_outcome_unknown(side: Side) -> None:
    lost = fails(1, grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN")
    busy = fails(10_000, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", 50)
    side.ledger.after_append = lost

    async def busy_after_the_first(context: Any) -> None:
        if side.ledger.calls > 1:
            await busy(context)

    side.ledger.before_append = busy_after_the_first
    with pytest.raises(RapportError) as caught:
        await side.client.append(touchpoint("ann", "bob", "call"), timeout_s=0.3)
    assert not caught.value.is_definite


async def test_a_server_that_is_not_there_is_unavailable_and_the_outcome_unknown() -> None:
    policy = RetryPolicy(timeout_s=2.0, first_delay_s=0.01, delay_max_s=0.1)
    async with Rapport("127.0.0.1:1", principal="people/ann", retry=policy) as client:
        with pytest.raises(RapportError) as caught:
            await client.append(touchpoint("ann", "bob", "call"))
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert not caught.value.is_definite
