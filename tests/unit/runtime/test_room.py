"""What a service takes in at a time."""

import pytest

from services.runtime.errors import RapportError, Reason
from services.runtime.room import Room


def test_a_call_beyond_the_number_is_refused_until_one_ends() -> None:
    room = Room(calls_max=2)
    with room.taken(1), room.taken(1):
        with pytest.raises(RapportError) as refused, room.taken(1):
            pass
        assert refused.value.reason is Reason.TOO_BUSY
    with room.taken(1):
        pass


def test_calls_beyond_the_bytes_are_refused_but_the_only_one_always_fits() -> None:
    room = Room(bytes_max=10)
    with room.taken(11), pytest.raises(RapportError), room.taken(0):
        pass
    with room.taken(6), room.taken(4), pytest.raises(RapportError), room.taken(1):
        pass


def test_streams_have_a_number_of_their_own_and_an_error_gives_the_place_back() -> None:
    room = Room(calls_max=1, streams_max=1)
    with pytest.raises(ZeroDivisionError), room.stream():
        raise ZeroDivisionError
    with room.stream(), room.taken(1):
        with pytest.raises(RapportError) as refused, room.stream():
            pass
        assert refused.value.reason is Reason.TOO_BUSY
