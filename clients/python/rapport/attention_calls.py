"""The calls of AttentionService: what to look after today, and what comes."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, Unpack

import grpc

from rapport.connection import Connection
from rapport.errors import error_of, unavailable
from rapport.ids import person as person_name
from rapport.relationship_calls import AsOfOptions
from rapport.retry import call_with_retries
from rapport.times import as_of
from rapport.v1 import attention_service_pb2 as wire

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.attention_service_pb2_grpc import AttentionServiceAsyncStub

# The server sends something every 5 s; three of them missing, the connection is dead.
SILENCE_S_MAX: Final = 16.0


class AttentionCalls:
    """A person's items and digest, and changes as they come. Part of `Rapport`.

    person: `people/{id}` or `{id}`; absent: the caller. Answer an item by appending
    `rapport.building.snoozed` or `not_relevant` as the person it is for.
    """

    _projector: Connection
    _attention_stub: "AttentionServiceAsyncStub"

    async def attention(
        self,
        person: str | None = None,
        *,
        everything: bool = False,
        watch_list: str = "",
        **asked: Unpack[AsOfOptions],
    ) -> wire.ListAttentionResponse:
        """The items of a day, what is lost by waiting first, at most the policy's ration.

        everything: beyond the ration, and those snoozed, too. watch_list: only about the parties
        of the caller's list of that name. Errors: WATCH_LIST_UNKNOWN; LIST_TOO_WIDE for a day that
        is not today, in a tenant with more than 10,000 relationships.
        """
        request = wire.ListAttentionRequest(
            person="" if person is None else person_name(person),
            all=everything,
            watch_list=watch_list,
            as_of=as_of(**asked),
        )
        return await call_with_retries(
            lambda once_s: self._attention_stub.ListAttention(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
        )

    async def digest(
        self, person: str | None = None, **asked: Unpack[AsOfOptions]
    ) -> wire.GetDigestResponse:
        """A person's day as plain text. Errors as for `attention`."""
        request = wire.GetDigestRequest(
            person="" if person is None else person_name(person), as_of=as_of(**asked)
        )
        return await call_with_retries(
            lambda once_s: self._attention_stub.GetDigest(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
        )

    async def watch_attention(
        self,
        person: str | None = None,
        *,
        from_number: int = 0,
        silence_s_max: float = SILENCE_S_MAX,
    ) -> AsyncIterator[wire.WatchAttentionResponse]:
        """Changes in order, each once, then those that come; over any broken connection.

        person: absent, the whole tenant's. from_number: the first number; 0: only what comes. Store
        the last number and begin again with the next. What will not pass is raised (RapportError).
        """
        request = wire.WatchAttentionRequest(
            person="" if person is None else person_name(person), from_number=from_number
        )
        failures = 0
        while True:
            began_at = request.from_number
            error = unavailable("the server ended the watch")
            stream = self._attention_stub.WatchAttention(request, metadata=self._projector.metadata)
            try:
                while True:
                    async with asyncio.timeout(silence_s_max):
                        message = await stream.read()
                    if not isinstance(message, wire.WatchAttentionResponse):
                        break
                    request.from_number = max(message.number + 1, request.from_number)
                    if message.change:
                        yield message
            except grpc.aio.AioRpcError as failure:
                error = error_of(failure)
            except TimeoutError:
                error = unavailable(f"nothing was heard for {silence_s_max:g} s")
            finally:
                stream.cancel()
            if not error.is_passing:
                raise error
            failures = 1 if request.from_number > began_at else failures + 1
            policy = self._projector.policy
            await policy.sleep(policy.delay_s(failures, error.retry_after_s))
