"""When the client tries again, on a clock of its own."""

from dataclasses import dataclass, field

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from rapport import RapportError, RetryPolicy
from rapport.retry import call_with_retries


@dataclass
class Time:
    now_s: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def policy_of(time: Time, random: float = 1.0) -> RetryPolicy:
    return RetryPolicy(
        timeout_s=10.0,
        first_delay_s=0.1,
        delay_max_s=1.0,
        clock=time.clock,
        sleep=time.sleep,
        random=lambda: random,
    )


def failure(
    code: grpc.StatusCode, reason: str = "", retry_s: float | None = None
) -> grpc.aio.AioRpcError:
    if not reason:
        return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="lost")
    status = status_pb2.Status(code=code.value[0], message="said so")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="rapport"))
    if retry_s is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(retry_s * 1000))
        status.details.add().Pack(retry)
    made = rpc_status.to_status(status)
    return grpc.aio.AioRpcError(
        code, grpc.aio.Metadata(), grpc.aio.Metadata(*made.trailing_metadata), details="said so"
    )


@dataclass
class Call:
    failures: list[grpc.aio.AioRpcError]
    timeouts: list[float] = field(default_factory=list)

    async def __call__(self, timeout_s: float) -> str:
        self.timeouts.append(timeout_s)
        if self.failures:
            raise self.failures.pop(0)
        return "done"


async def test_the_wait_doubles_up_to_its_limit() -> None:
    time = Time()
    lost = [failure(grpc.StatusCode.UNAVAILABLE) for _ in range(6)]
    assert await call_with_retries(Call(lost), policy_of(time)) == "done"
    assert time.slept == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


async def test_the_wait_is_a_random_part_on_top_of_what_the_service_asks_for() -> None:
    time = Time()
    busy = [failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", 2.5)]
    await call_with_retries(Call(busy), policy_of(time, random=0.5))
    assert time.slept == pytest.approx([2.55])


async def test_an_attempt_never_goes_beyond_the_whole_time() -> None:
    time = Time()
    call = Call([failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", 7.9)])
    await call_with_retries(call, policy_of(time), attempt_timeout_s=4.0)
    assert call.timeouts == pytest.approx([4.0, 2.0])


async def test_it_ends_before_a_wait_that_would_outlast_the_whole_time() -> None:
    time = Time()
    call = Call([failure(grpc.StatusCode.UNAVAILABLE, "VIEW_BUILDING", 30.0)])
    with pytest.raises(RapportError) as caught:
        await call_with_retries(call, policy_of(time))
    assert caught.value.reason == "VIEW_BUILDING"
    assert caught.value.is_definite
    assert time.slept == []


async def test_a_size_refused_by_grpc_itself_is_definite_and_not_tried_again() -> None:
    call = Call([failure(grpc.StatusCode.RESOURCE_EXHAUSTED)])
    with pytest.raises(RapportError) as caught:
        await call_with_retries(call, policy_of(Time()))
    assert (caught.value.reason, caught.value.is_definite) == ("RESOURCE_EXHAUSTED", True)


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED],
)
async def test_a_lost_call_without_a_reason_has_an_unknown_outcome(code: grpc.StatusCode) -> None:
    with pytest.raises(RapportError) as caught:
        await call_with_retries(Call([failure(code)] * 100), policy_of(Time()))
    assert not caught.value.is_definite


async def test_an_unknown_outcome_stays_unknown_whatever_passing_error_comes_last() -> None:
    busy = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", 1.0)
    call = Call([failure(grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN"), *[busy] * 100])
    with pytest.raises(RapportError) as caught:
        await call_with_retries(call, policy_of(Time()))
    assert not caught.value.is_definite
    assert "TOO_BUSY" in str(caught.value)


async def test_a_verdict_after_an_unknown_outcome_is_definite() -> None:
    conflict = failure(grpc.StatusCode.ABORTED, "REVISION_CONFLICT")
    call = Call([failure(grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN"), conflict])
    with pytest.raises(RapportError) as caught:
        await call_with_retries(call, policy_of(Time()))
    assert (caught.value.reason, caught.value.is_definite) == ("REVISION_CONFLICT", True)
