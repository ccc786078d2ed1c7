"""Master keys: how they are written, and that a wrapped key opens at its own place only."""

import base64

import pytest

from services.runtime.vault import MasterKeyError, MasterKeys

ONE = base64.urlsafe_b64encode(b"\xff" * 32).decode()
TWO = base64.urlsafe_b64encode(b"\xfe" * 32).decode().rstrip("=")
KEY = b"k" * 32


def test_several_lines_are_read_and_the_first_is_current() -> None:
    keys = MasterKeys.from_text(f"# since March\n\nnew:{ONE}\n  old:{TWO}  \n")
    assert (keys.current_id, keys.ids) == ("new", ("new", "old"))


def test_a_key_without_an_id_gets_one_that_depends_on_it_alone() -> None:
    assert MasterKeys.from_text(ONE).ids == MasterKeys.from_text(f"{ONE}\n").ids
    assert MasterKeys.from_text(ONE).ids != MasterKeys.from_text(TWO).ids
    both = MasterKeys.from_text(f"{TWO}\n{ONE}")
    assert both.ids[1] == MasterKeys.from_text(ONE).current_id


def test_both_alphabets_of_base64_mean_the_same_key() -> None:
    plain = base64.b64encode(b"\xff" * 32).decode()
    assert plain != ONE
    assert MasterKeys.from_text(plain).ids == MasterKeys.from_text(ONE).ids


def test_a_generated_line_is_a_new_key_each_time() -> None:
    first, second = MasterKeys.generate_line(), MasterKeys.generate_line()
    assert first != second
    assert MasterKeys.from_text(f"{first}\n{second}").ids == (
        first.partition(":")[0],
        second.partition(":")[0],
    )
    assert MasterKeys.generate_line("2026-11").startswith("2026-11:")


@pytest.mark.parametrize(
    "text",
    ["", "# nothing", "short", f"A:{ONE}", f":{ONE}", f"a:{ONE}\na:{TWO}", f"a:{ONE}\nb:{ONE}",
     f"a:{ONE}x", f"a:{ONE[:-4]}", "a:" + "!" * 43, f"a:{ONE} b:{TWO}"],
)  # fmt: skip
def test_malformed_keys_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(MasterKeyError) as refused:
        MasterKeys.from_text(text)
    assert ONE not in str(refused.value)
    assert ONE[:20] not in str(refused.value)


def test_a_wrapped_key_opens_again_also_after_another_key_became_current() -> None:
    old = MasterKeys.from_text(f"old:{TWO}")
    wrapped = old.wrap("demo", "people/a", KEY)
    both = MasterKeys.from_text(f"new:{ONE}\nold:{TWO}")
    assert both.unwrap("demo", "people/a", wrapped, "old") == KEY
    assert KEY not in wrapped


def test_a_key_wrapped_twice_never_looks_the_same() -> None:
    keys = MasterKeys.from_text(ONE)
    assert keys.wrap("demo", "people/a", KEY) != keys.wrap("demo", "people/a", KEY)


def test_a_wrapped_key_is_refused_at_another_place_or_changed() -> None:
    keys = MasterKeys.from_text(f"one:{ONE}")
    wrapped = keys.wrap("demo", "people/a", KEY)
    with pytest.raises(MasterKeyError):
        keys.unwrap("demo", "people/b", wrapped, "one")
    with pytest.raises(MasterKeyError):
        keys.unwrap("demo2", "people/a", wrapped, "one")
    for broken in (b"", wrapped[:10], wrapped[:-1], b"\x02" + wrapped[1:]):
        with pytest.raises(MasterKeyError, match="does not open with master key one"):
            keys.unwrap("demo", "people/a", broken, "one")


def test_an_unknown_master_key_is_named() -> None:
    keys = MasterKeys.from_text(f"one:{ONE}")
    with pytest.raises(MasterKeyError, match="master key lost, which is not among those given"):
        keys.unwrap("demo", "people/a", keys.wrap("demo", "people/a", KEY), "lost")


def test_master_keys_show_their_ids_only() -> None:
    assert repr(MasterKeys.from_text(f"one:{ONE}")) == "MasterKeys(ids=['one'])"
