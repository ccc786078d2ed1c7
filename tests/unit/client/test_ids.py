"""Names and ids that callers make."""

from uuid import UUID

import pytest
from rapport import derived_event_id, new_event_id, person, relationship
from rapport.ids import _uuid7, make_id


def test_a_new_event_id_is_a_version_7_uuid_in_canonical_form() -> None:
    text = new_event_id()
    parsed = UUID(text)
    assert str(parsed) == text
    assert (parsed.version, parsed.variant) == (7, "specified in RFC 4122")


def test_new_event_ids_increase_also_within_a_millisecond() -> None:
    made = [new_event_id() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_the_first_48_bits_are_the_milliseconds_and_the_next_12_their_fraction() -> None:
    made = _uuid7(0x017F22E279B0 << 12 | 0xCC3, 0x18C4DC0C0C07398F)
    # The example of RFC 9562, appendix A.6.
    assert str(made) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_a_row_always_makes_the_same_event_id_and_sources_do_not_clash() -> None:
    assert derived_event_id("crm", "7") == derived_event_id("crm", "7")
    assert len({derived_event_id(source, row) for source in "ab" for row in "12"}) == 4
    assert derived_event_id("crm", "7") == "1f7336a9-3644-5f4a-925d-bc78229e609f"


def test_people_may_be_given_by_their_bare_id() -> None:
    assert person("ann") == person("people/ann") == "people/ann"


@pytest.mark.parametrize("name", ["", "Ann", "people/", "a~b", "organizations/x", "ä", "a" * 129])
def test_a_malformed_person_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a person is people/"):
        person(name)


def test_a_relationship_is_the_unordered_pair() -> None:
    assert relationship("b", "people/a") == relationship("a", "b") == "relationships/a~b"
    with pytest.raises(ValueError, match="two different people"):
        relationship("a", "people/a")


@pytest.mark.parametrize(
    ("login", "made"), [("Ann", "ann"), ("Jo Å", "jo"), ("x+y", "x-y"), ("", "nobody")]
)
def test_any_login_makes_a_valid_id(login: str, made: str) -> None:
    assert make_id(login) == made
    assert person(made)
