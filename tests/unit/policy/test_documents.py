"""Which documents are policies, and what is said about those that are not."""

import json
from typing import Any

import pytest

from services.runtime.policy import Fault, Policy, PolicyError, default_policy

DEFAULT_HASH = "9d3476663c5129a2"


def default_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(default_policy().canonical_json)
    return document


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(PolicyError) as refused:
        Policy.parse(text)
    return refused.value.faults


def paths_of(document: dict[str, Any]) -> list[str]:
    return [fault.path for fault in faults_of(json.dumps(document))]


def test_the_default_policy_is_default_at_1_and_its_hash_never_changes() -> None:
    policy = default_policy()

    assert (policy.name, policy.version, policy.effective_from) == ("default", 1, 0)
    assert policy.label == f"default@1#{DEFAULT_HASH}"
    assert len(policy.kinds) == 43


def test_key_order_spacing_and_yaml_do_not_change_the_hash() -> None:
    backwards = dict(reversed(default_document().items()))

    again = Policy.parse_json(json.dumps(backwards, indent=3))

    assert again == default_policy()
    assert hash(again) == hash(default_policy())


def test_any_number_changes_the_hash() -> None:
    document = default_document()
    document["kinds"]["call"]["care"] = 4001

    changed = Policy.parse(json.dumps(document))

    assert changed != default_policy()
    assert changed.hash != DEFAULT_HASH


def test_a_document_in_yaml_may_have_a_date_and_number_keys() -> None:
    text = default_policy().canonical_json
    yaml_text = "# the same\n" + text.replace('"2000-01-01"', "2000-01-01").replace('"-2":', "-2: ")

    assert Policy.parse(yaml_text) == default_policy()


def test_json_is_the_only_form_of_an_adopted_policy() -> None:
    with pytest.raises(PolicyError, match="is not JSON"):
        Policy.parse_json("# the same\n" + default_policy().canonical_json)


def test_everything_wrong_is_told_at_once_with_its_path() -> None:
    document = default_document()
    document["colour"] = "red"
    document["kinds"]["social.like"]["half_life_days"] = 3651
    document["kinds"]["call"]["care"] = 1_000_000_001
    document["kinds"]["Call Me"] = {"know": 0, "care": 0, "half_life_days": 1}
    del document["factors"]["sentiment"]["-1"]
    document["incident"]["severity"]["5"] = [0, 0]
    document["incident"]["severity"]["1"] = [0]
    del document["buffer"]

    assert set(paths_of(document)) == {
        "colour",
        'kinds["social.like"].half_life_days',
        "kinds.call.care",
        'kinds["Call Me"]',
        "factors.sentiment",
        'incident.severity["5"]',
        "incident.severity[1][1]",
        "buffer",
    }


@pytest.mark.parametrize("number", [1000.0, "1000", True, None])
def test_numbers_are_whole_and_written_as_such(number: object) -> None:
    document = default_document()
    document["kinds"]["call"]["know"] = number

    assert paths_of(document) == ["kinds.call.know"]


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_half_life_is_1_to_3650_days(days: int) -> None:
    document = default_document()
    document["kinds"]["call"]["half_life_days"] = days

    assert paths_of(document) == ["kinds.call.half_life_days"]


@pytest.mark.parametrize("days", [1, 3650])
def test_the_bounds_of_a_half_life_are_included(days: int) -> None:
    document = default_document()
    document["kinds"]["call"]["half_life_days"] = days

    assert Policy.parse(json.dumps(document)).kinds["call"].half_life_days == days


def test_weights_go_from_minus_to_plus_a_billion_mp() -> None:
    document = default_document()
    document["kinds"]["call"].update(know=-1_000_000_000, care=1_000_000_000)
    Policy.parse(json.dumps(document))

    document["kinds"]["call"].update(know=-1_000_000_001, care=1_000_000_001)

    assert paths_of(document) == ["kinds.call.know", "kinds.call.care"]


def test_a_policy_has_500_kinds_at_most() -> None:
    document = default_document()
    kind = {"know": 0, "care": 0, "half_life_days": 1}
    document["kinds"] = {f"kind{number}": kind for number in range(500)}
    Policy.parse(json.dumps(document))

    document["kinds"]["one.more"] = kind

    assert paths_of(document) == ["kinds"]


@pytest.mark.parametrize("name", ["a.b_2", "k" * 64])
def test_names_of_kinds_are_lower_case_words_with_dots(name: str) -> None:
    document = default_document()
    document["kinds"][name] = {"know": 1, "care": 1, "half_life_days": 1}

    assert name in Policy.parse(json.dumps(document)).kinds


@pytest.mark.parametrize("name", ["", ".a", "a.", "a..b", "A", "a-b", "a b", "a\n", "k" * 65, "ä"])
def test_other_names_of_kinds_are_refused(name: str) -> None:
    document = default_document()
    document["kinds"][name] = {"know": 1, "care": 1, "half_life_days": 1}

    assert len(paths_of(document)) == 1


def test_a_document_is_128_kib_at_most() -> None:
    text = default_policy().canonical_json
    room = 128 * 1024 - len(text)
    Policy.parse(text + " " * room)

    assert faults_of(text + " " * (room + 1))[0].path == "policy"


def test_an_incident_or_recovery_has_no_numbers_of_its_own() -> None:
    document = default_document()
    document["kinds"]["incident"].update(know=1, saturate="digital")
    document["kinds"]["recovery"]["effort"] = False

    assert paths_of(document) == [
        "kinds.incident.know",
        "kinds.incident.saturate",
        "kinds.recovery.effort",
    ]


def test_every_other_kind_must_say_what_it_weighs() -> None:
    document = default_document()
    document["kinds"]["ask"] = {"half_life_days": 30}

    assert paths_of(document) == ["kinds.ask.know", "kinds.ask.care"]


def test_a_kind_saturates_in_a_group_that_is_there() -> None:
    document = default_document()
    document["kinds"]["call"]["saturate"] = "analogue"

    assert paths_of(document) == ["kinds.call.saturate"]


@pytest.mark.parametrize("day", ["2026-02-29", "2026-2-01", "2026-01-01T00:00:00Z", "0000-01-01"])
def test_a_policy_begins_on_a_day_of_the_calendar(day: str) -> None:
    document = default_document()
    document["effective_from"] = day

    assert paths_of(document) == ["effective_from"]


def test_effort_points_start_at_zero_and_rise() -> None:
    document = default_document()
    document["factors"]["effort_care_by_live_minutes"] = [[0, 1000], [60, 1250], [60, 1750]]

    assert paths_of(document) == ["factors.effort_care_by_live_minutes"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "just words",
        "{",
        '{"policy": "a", "policy": "b"}',
        '{"version": NaN}',
        '{"version": ' + "9" * 5000 + "}",
        "[" * 50_000,
        "a: 1\na: 2",
        '1: a\n"1": b',
        "a: &x [1]\nb: *x",
        "a: !!python/name:os.system",
        "on: 1",
        "when: 2001-01-01 10:00:00",
        "a: {" * 2_000,
        "\ud800",
        "%",
        "a: b: c",
    ],
)
def test_a_text_that_is_no_mapping_of_plain_data_is_refused(text: str) -> None:
    assert faults_of(text)
