"""One channel to one server, with who is calling."""

from typing import Final

import grpc

from rapport.retry import RetryPolicy, call_with_retries

MESSAGE_BYTES_MAX: Final = 9 * 1024 * 1024

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # A server that vanished without a word is noticed within 30 s.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # gRPC's own waits go up to 2 minutes; ours (rapport.retry) are the ones that count.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.enable_retries", 0),
)

type Metadata = tuple[tuple[str, str], ...]


def metadata_of(tenant: str | None, principal: str) -> Metadata:
    """The call metadata that names the caller; without a tenant for calls above tenants."""
    who = (("x-rapport-principal", principal),)
    return who if tenant is None else (("x-rapport-tenant", tenant), *who)


class Connection:
    """A lazily connecting channel; `credentials` make it TLS. Close it when done."""

    def __init__(
        self,
        target: str,
        *,
        tenant: str | None,
        principal: str,
        policy: RetryPolicy,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.target: Final = target
        self.policy: Final = policy
        self.metadata: Final = metadata_of(tenant, principal)
        self.principal_only: Final = metadata_of(None, principal)
        self.channel: Final = (
            grpc.aio.insecure_channel(target, options=_OPTIONS)
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, options=_OPTIONS)
        )

    async def ask[Q, R](self, method: "grpc.aio.UnaryUnaryMultiCallable[Q, R]", request: Q) -> R:
        """The answer to a request that may be repeated, with the caller's name and retries."""
        return await call_with_retries(
            lambda once_s: method(request, metadata=self.metadata, timeout=once_s), self.policy
        )
