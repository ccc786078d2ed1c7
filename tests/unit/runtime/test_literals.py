"""Array literals: what PostgreSQL reads is what was meant."""

import pytest

from services.runtime import literals


def test_numbers_and_flags_are_written_as_they_are() -> None:
    assert literals.numbers([1, -2, 9_000_000_000]) == "{1,-2,9000000000}"
    assert literals.flags([True, False]) == "{t,f}"


def test_what_is_missing_is_null_and_a_name_that_says_null_is_not() -> None:
    assert literals.numbers_or_null([None, 3]) == "{NULL,3}"
    assert literals.names_or_null([None, "null"]) == '{NULL,"null"}'
    assert literals.names(["null", "a"]) == '{"null","a"}'


def test_nothing_is_an_empty_array() -> None:
    assert literals.names([]) == literals.numbers([]) == literals.digests([]) == "{}"


def test_bytes_are_written_in_hexadecimal() -> None:
    assert literals.digests([b"\x00\xff"]) == '{"\\\\x00ff"}'


def test_texts_are_joined_by_what_none_of_them_may_hold() -> None:
    assert literals.texts(['{"a":1}', "", "ö,'"]) == '{"a":1}\x1f\x1fö,\''
    for wrong in ([], ["a", "b\x1fc"]):
        with pytest.raises(ValueError, match="control character"):
            literals.texts(wrong)
