"""Sealing: what comes back, what stays shut, and that nothing depends on chance or order."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.limits import PERSONAL_TEXT_BYTES_MAX
from services.runtime.vault.sealing import (
    SEAL_OVERHEAD_BYTES_MAX,
    TENANT_SUBJECT,
    Erased,
    KeyMissing,
    SubjectKeys,
    Tampered,
    open_,
    seal,
)

A, B, C = "people/a", "people/b", "organizations/c"
KEYS = {A: b"\x01" * 32, B: b"\x02" * 32, C: b"\x03" * 32, TENANT_SUBJECT: b"\x04" * 32}
ALL = SubjectKeys("demo", KEYS)
EVENT = UUID("5a9a1718-6f11-4742-8228-82dcc5848dc0")
FIELD = "touchpoint.note"

TEXTS = st.text(max_size=300)
ABOUT = st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=6)


def without(*erased: str) -> SubjectKeys:
    return SubjectKeys("demo", {s: k for s, k in KEYS.items() if s not in erased}, erased)


@given(TEXTS, ABOUT, st.uuids(), st.sampled_from([FIELD, "attributes.x"]))
def test_what_was_sealed_opens_again(text: str, about: list[str], event: UUID, field: str) -> None:
    sealed = seal(ALL, about, "demo", event, field, text)
    assert open_(ALL, about, "demo", event, field, sealed) == text
    assert len(text.encode()) < len(sealed) <= len(text.encode()) + SEAL_OVERHEAD_BYTES_MAX


@given(TEXTS, ABOUT, st.data())
def test_sealing_again_gives_the_same_bytes_in_any_order_of_subjects(
    text: str, about: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(about + about))
    again = SubjectKeys("demo", dict(reversed(KEYS.items())))
    first = seal(ALL, about, "demo", EVENT, FIELD, text)
    assert seal(again, shuffled, "demo", EVENT, FIELD, text) == first


@given(TEXTS, ABOUT, st.sampled_from(sorted(KEYS)))
def test_a_text_is_gone_exactly_when_anybody_it_is_about_is_erased(
    text: str, about: list[str], erased: str
) -> None:
    sealed = seal(ALL, about, "demo", EVENT, FIELD, text)
    if erased in about:
        with pytest.raises(Erased):
            open_(without(erased), about, "demo", EVENT, FIELD, sealed)
        # Nor do the keys that are left open it by themselves.
        rest = set(about) - {erased}
        if rest:
            with pytest.raises(Tampered):
                open_(without(erased), rest, "demo", EVENT, FIELD, sealed)
    else:
        assert open_(without(erased), about, "demo", EVENT, FIELD, sealed) == text


@given(TEXTS, st.uuids().filter(lambda event: event != EVENT))
def test_sealed_bytes_open_at_their_own_place_only(text: str, other_event: UUID) -> None:
    sealed = seal(ALL, [A, B], "demo", EVENT, FIELD, text)
    elsewhere = SubjectKeys("other", KEYS)
    with pytest.raises(Tampered):
        open_(ALL, [A, B], "demo", other_event, FIELD, sealed)
    with pytest.raises(Tampered):
        open_(ALL, [A, B], "demo", EVENT, "touchpoint.notes", sealed)
    with pytest.raises(Tampered):
        open_(elsewhere, [A, B], "other", EVENT, FIELD, sealed)
    with pytest.raises(Tampered):
        open_(ALL, [A, B, C], "demo", EVENT, FIELD, sealed)
    with pytest.raises(Tampered):
        open_(ALL, [A], "demo", EVENT, FIELD, sealed)


@given(TEXTS, st.data())
def test_a_changed_or_shortened_seal_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = bytearray(seal(ALL, [A], "demo", EVENT, FIELD, text))
    at = data.draw(st.integers(0, len(sealed) - 1))
    shortened = bytes(sealed[:at])
    sealed[at] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(sealed), shortened):
        with pytest.raises(Tampered):
            open_(ALL, [A], "demo", EVENT, FIELD, wrong)


def test_equal_texts_at_different_places_look_different() -> None:
    first = seal(ALL, [A], "demo", EVENT, "fact.text", "likes tea")
    second = seal(ALL, [A], "demo", EVENT, "fact.label", "likes tea")
    assert first[1:17] != second[1:17]
    assert first[17:] != second[17:]


def test_the_length_of_a_short_text_does_not_show() -> None:
    sizes = {len(seal(ALL, [A], "demo", EVENT, FIELD, "x" * n)) for n in range(32)}
    assert sizes == {1 + 16 + 32}
    assert len(seal(ALL, [A], "demo", EVENT, FIELD, "x" * 32)) == 1 + 16 + 64


def test_names_and_keys_of_subjects_cannot_run_into_each_other() -> None:
    one = SubjectKeys("demo", {"people/a": b"\x01" * 32, "people/b": b"\x02" * 32})
    other = SubjectKeys("demo", {"people/a": b"\x01" * 32, "people/bb": b"\x02" * 32})
    sealed = seal(one, ["people/a", "people/b"], "demo", EVENT, FIELD, "")
    with pytest.raises(Tampered):
        open_(other, ["people/a", "people/bb"], "demo", EVENT, FIELD, sealed)


def test_the_form_of_a_seal_never_changes() -> None:
    sealed = seal(ALL, [A, B], "demo", EVENT, FIELD, "His daughter graduates in June.")
    assert sealed.hex() == KNOWN_SEAL


def test_a_missing_key_reads_as_erased_and_is_told_apart() -> None:
    some = SubjectKeys("demo", {A: KEYS[A]})
    with pytest.raises(KeyMissing):
        seal(some, [A, B], "demo", EVENT, FIELD, "x")
    with pytest.raises(Erased) as erased:
        SubjectKeys("demo", {A: KEYS[A]}, [C]).cipher([A, B, C])
    assert not isinstance(erased.value, KeyMissing)
    assert issubclass(KeyMissing, Erased)


def test_a_text_beyond_the_limit_or_not_unicode_is_refused() -> None:
    longest = "x" * PERSONAL_TEXT_BYTES_MAX
    sealed = seal(ALL, [A], "demo", EVENT, FIELD, longest)
    assert open_(ALL, [A], "demo", EVENT, FIELD, sealed) == longest
    with pytest.raises(ValueError, match="at most 65536 bytes"):
        seal(ALL, [A], "demo", EVENT, FIELD, longest + "x")
    with pytest.raises(ValueError, match="not valid Unicode"):
        seal(ALL, [A], "demo", EVENT, FIELD, "\ud800")


def test_keys_say_who_is_erased_and_show_no_key() -> None:
    keys = without(B)
    assert keys.is_erased(B)
    assert not keys.is_erased(A)
    assert keys.erased_among([C, B, A]) == [B]
    assert keys.has_all([A, C])
    assert not keys.has_all([A, B])
    assert repr(keys) == "SubjectKeys(keys=3, erased=1)"


# Stored texts must open for ever: a change here needs a new version byte beside the old form.
KNOWN_SEAL = (
    "0167b5ee559f18dd7263c2be61e18008403918b908e98d57cdab188d84463da8"
    "0c4d5cca42a64a51368646c0e24a33625a"
)
