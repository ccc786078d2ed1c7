"""Connections to NATS that leave no socket open behind them and read headers at a fair price.

nats-py (2.16) forgets the connection of an attempt that comes to nothing after the socket was
opened, as with a server that is just starting or too slow to greet: when it reconnects, the next
attempt takes its place; and `connect` raises without closing it when it may not try again, or is
cancelled. Such a socket stays open until it is collected, with a ResourceWarning.

It also looks at each character of the name of each header, which was a fifth of what a projector
did. There are few names: here each is looked at once.
"""

from functools import lru_cache
from typing import Any, Final

from nats.aio.client import Client, Srv

# What bytes.strip takes away.
_SPACE: Final = " \t\n\r\v\f"


@lru_cache(maxsize=1_024)
def _header_name(text: str) -> str | None:
    """None for what is none: with white space inside."""
    name = text.strip(_SPACE)
    return None if any(character.isspace() for character in name) else name


class _Client(Client):
    """Closes the connection of the attempt before, and remembers the names of headers."""

    def abandon(self) -> None:
        """Close the connection, if there is one, whatever became of it."""
        if self._transport:
            self._transport.close()  # type: ignore[no-untyped-call]

    async def _connect_to_server(self, s: Srv) -> None:
        self.abandon()
        await super()._connect_to_server(s)

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """What the client's own answers."""
        if not raw.isascii():
            return Client._parse_header_lines(raw)
        headers = {}
        for line in raw.decode("ascii").split("\r\n"):
            name, colon, value = line.partition(":")
            key = _header_name(name) if colon else None
            if key is not None:
                headers[key] = value.strip(_SPACE)
        return headers


async def connect(servers: str | list[str], **options: Any) -> Client:
    """A connected client, as of `nats.connect`; raises what that raises."""
    client = _Client()
    try:
        await client.connect(servers, **options)
    except BaseException:
        client.abandon()
        raise
    return client
