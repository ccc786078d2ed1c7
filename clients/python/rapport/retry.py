"""When to try again, and how long to wait before."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc

from rapport.errors import error_of

type Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full-jitter exponential backoff within a total time.

    timeout_s: all attempts and waits of one call together. attempt_timeout_s: one attempt of a
    write; an attempt never goes beyond timeout_s. first_delay_s doubles with every attempt up to
    delay_max_s; the wait is a random part of it, at least what the service asked for.
    `clock` (seconds, monotonic), `sleep` and `random` (0 to 1) are there for tests.
    """

    timeout_s: float = 60.0
    attempt_timeout_s: float = 15.0
    first_delay_s: float = 0.05
    delay_max_s: float = 2.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Sleep = field(default=asyncio.sleep, repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)

    def delay_s(self, attempt: int, asked_s: float | None = None) -> float:
        """The wait after attempt 1, 2, 3 …"""
        ceiling = min(self.first_delay_s * 2.0 ** min(attempt - 1, 30), self.delay_max_s)
        return (asked_s or 0.0) + self.random() * ceiling


async def call_with_retries[T](
    attempt: Callable[[float], Awaitable[T]],
    policy: RetryPolicy,
    *,
    timeout_s: float | None = None,
    attempt_timeout_s: float | None = None,
) -> T:
    """Repeats `attempt` (which takes its timeout in seconds) while its failure is a passing one.

    Only for calls that are safe to repeat: reads, and writes that carry their ids. Raises the
    last RapportError: at once when it is definite and will stay, else when the time is up. When
    any attempt was of unknown outcome and none after it was answered, the error says so.
    """
    began = policy.clock()
    total_s = policy.timeout_s if timeout_s is None else timeout_s
    once_s = total_s if attempt_timeout_s is None else attempt_timeout_s
    number, unknown = 0, False
    while True:
        number += 1
        left_s = total_s - (policy.clock() - began)
        try:
            return await attempt(max(min(left_s, once_s), 0.001))
        except grpc.aio.AioRpcError as failure:
            error = error_of(failure)
        if not error.is_passing:
            raise error
        unknown = unknown or not error.is_definite
        delay_s = policy.delay_s(number, error.retry_after_s)
        if policy.clock() - began + delay_s >= total_s:
            raise error.of_unknown_outcome() if unknown else error
        await policy.sleep(delay_s)
