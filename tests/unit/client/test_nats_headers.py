"""Headers are read as nats-py reads them, by whatever name they come."""

from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from rapport.events.connecting import _Client

# Pieces of headers, well-formed and not.
_PIECE = st.sampled_from(
    [b"ce-id", b"x y", b"a\tb", b"\xc3\xa9", b"\xff", b":", b": ", b"\r\n", b"\r", b"\n", b" ", b""]
) | st.binary(max_size=4)


@given(st.lists(_PIECE).map(b"".join))
def test_headers_are_read_as_the_library_reads_them(raw: bytes) -> None:
    read, expected = _Client._parse_header_lines(raw), Client._parse_header_lines(raw)
    assert list(read.items()) == list(expected.items())
