"""Headers the NATS client need not clean are sent as it would have cleaned them."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from services.runtime.jetstream import clean


def sent(headers: dict[str, str]) -> bytes:
    """What the client writes for a message with these headers."""
    client = Client()
    client._status, client._max_payload, client._max_pending_size = Client.CONNECTED, 1 << 20, 0
    with suppress(StopIteration):  # it has nothing to wait for
        client.publish("subject", b"", headers=headers).send(None)
    return b"".join(client._pending)


@given(st.dictionaries(st.sampled_from(["ce-id", "ce-time", "x"]), st.text()))
def test_any_value_leaves_as_the_client_itself_would_have_cleaned_it(
    headers: dict[str, str],
) -> None:
    assert sent(clean(headers)) == sent(headers)


def test_no_value_ends_its_header() -> None:
    written = sent(clean({"x": " a\r\nNats-Rollup: all ", "y": " b "}))
    assert written.endswith(b"x: a  Nats-Rollup: all\r\ny: b\r\n\r\n\r\n")
