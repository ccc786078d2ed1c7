"""What is said about a policy before it is adopted."""

import json
from typing import Any

import pytest

from services.runtime.policy import Policy, default_policy
from services.runtime.policy.lint import Lint, calibration_faults, lint, lint_policy


def document() -> dict[str, Any]:
    """The default policy under a name of its own."""
    made: dict[str, Any] = json.loads(default_policy().canonical_json)
    made["policy"] = "ours"
    return made


def found(made: dict[str, Any]) -> Lint:
    return lint(json.dumps(made))


def advice(made: dict[str, Any]) -> list[str]:
    told = found(made)
    assert told.adoptable
    return [finding.path for finding in told.findings]


def with_severity_2(know: int, care: int) -> dict[str, Any]:
    made = document()
    made["incident"]["severity"]["2"] = [know, care]
    return made


def test_the_default_policy_has_no_findings() -> None:
    assert lint_policy(default_policy()) == ()
    assert lint(default_policy().canonical_json) == Lint((), default_policy())


@pytest.mark.parametrize(
    ("know", "care", "fits"),
    [
        # The median of the 31 positive kinds is 6000, the 16th of 1000, 2000, 3000 x 5, 4000 x 2,
        # 5000 x 2, 6000 x 5, ..: an incident may cost 12000 to 48000.
        (-6_000, -10_000, True),
        (-6_000, -6_000, True),
        (-6_000, -5_999, False),
        (-8_000, -40_000, True),
        (-8_000, -40_001, False),
    ],
)
def test_an_incident_of_ours_costs_2_to_8_times_the_median_positive_kind(
    know: int, care: int, fits: bool
) -> None:
    told = found(with_severity_2(know, care))

    fatal = [finding.path for finding in told.findings if finding.fatal]
    assert fatal == ([] if fits else ['incident.severity["2"]'])
    assert told.adoptable is fits


def test_the_message_says_what_it_costs_and_what_it_may() -> None:
    (fault,) = calibration_faults(Policy.parse(json.dumps(with_severity_2(-1_000, -2_500))))

    assert fault.message == (
        "an OURS incident of severity 2 costs 3500 mp, which must be 2 to 8 times the median "
        "positive kind (6000 mp): 12000 mp to 48000 mp"
    )


def test_attribution_is_a_part_of_the_cost() -> None:
    made = document()
    made["incident"]["attribution"]["OURS"] = 749  # 16000 x 0.749 = 11984

    assert not found(made).adoptable


def test_of_an_even_number_of_positive_kinds_the_two_middle_ones_count() -> None:
    made = document()
    numbers = {"know": 0, "half_life_days": 30}
    made["kinds"] = {
        "incident": {"half_life_days": 180},
        "a": {"care": 1_000, **numbers},
        "b": {"care": 3_001, **numbers},
        "c": {"care": -9_000, **numbers},  # not positive
    }
    made["incident"]["severity"]["2"] = [0, -4_001]  # 2 x 2000.5
    made["saturation"] = {}

    assert found(made).adoptable
    made["incident"]["severity"]["2"] = [0, -4_000]
    assert not found(made).adoptable


def test_a_policy_without_a_positive_kind_cannot_be_adopted() -> None:
    made = document()
    made["kinds"] = {"ask": {"know": 0, "care": 0, "half_life_days": 30}}

    assert "kinds" in [finding.path for finding in found(made).findings if finding.fatal]


def test_what_is_no_policy_has_fatal_findings_alone() -> None:
    made = document()
    made["colour"] = "red"
    made["kinds"]["call"]["care"] = "much"

    told = found(made)

    assert told.policy is None
    assert not told.adoptable
    assert {finding.path for finding in told.findings if finding.fatal} == {
        "colour",
        "kinds.call.care",
    }
    assert lint("{").findings[0].fatal


def test_fatal_findings_stand_first() -> None:
    made = with_severity_2(0, 0)
    made["factors"]["audience"]["MANY"] = 1

    assert [(finding.path, finding.fatal) for finding in found(made).findings] == [
        ('incident.severity["2"]', True),
        ("factors.audience.MANY", False),
        ("incident.severity", False),  # 2 costs less than 1
    ]


@pytest.mark.parametrize(
    ("keys", "value", "path"),
    [
        (("factors", "automated"), 500, "factors.automated"),
        (("factors", "audience", "FEW"), 1_001, "factors.audience.FEW"),
        (("factors", "sentiment", "2"), 900, "factors.sentiment"),
        (
            ("factors", "effort_care_by_live_minutes"),
            [[0, 1_000], [60, 900]],
            "factors.effort_care_by_live_minutes",
        ),
        (("saturation", "digital", "marginal"), [500, 600], "saturation.digital.marginal"),
        (
            ("saturation", "new"),
            {"per": "iso_week", "marginal": [1_000]},
            "saturation.new",
        ),
        (("kinds", "transaction", "care"), 5, "kinds.transaction.structural"),
        (("kinds", "proposal", "effort"), True, "kinds.proposal.effort"),
        (
            ("kinds", "social.wave"),
            {"know": 0, "care": 10, "half_life_days": 9, "little": True},
            'kinds["social.wave"].saturate',
        ),
        (("incident", "severity", "1"), [1, -5_000], 'incident.severity["1"]'),
        (("incident", "severity", "3"), [0, -1], "incident.severity"),
        (("incident", "recovery", "FIX"), 501, "incident.recovery"),
        (("incident", "timeliness"), [500, 750, 500], "incident.timeliness"),
        (("incident", "repeat", "refund"), 1_001, "incident.repeat.refund"),
        (("incident", "sla_hours", "emial"), 24, "incident.sla_hours"),
        (("tiers",), {}, "tiers"),
        (("measures", "parity", "min_group"), 4, "measures.parity.min_group"),
        (("measures", "parity", "band"), [1_500, 2_000], "measures.parity.band"),
        (
            ("measures", "builders"),
            {
                **json.loads(default_policy().canonical_json)["measures"]["builders"],
                "enabled": True,
                "min_group": 2,
            },
            "measures.builders.min_group",
        ),
    ],
)
def test_what_is_only_unwise_is_advice(keys: tuple[str, ...], value: object, path: str) -> None:
    made = document()
    section = made
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value

    assert advice(made) == [path]


def test_another_document_under_the_name_of_the_built_in_one_is_advised_against() -> None:
    made = document()
    made["policy"] = "default"
    assert found(made).findings == ()  # the built-in one itself
    made["buffer"]["know_cap"] = 30_000

    assert advice(made) == ["version"]


def test_a_kind_of_the_default_that_is_missing_is_named() -> None:
    made = document()
    del made["kinds"]["ask"]

    (finding,) = found(made).findings

    assert (finding.path, finding.fatal) == ("kinds", False)
    assert finding.message.endswith("would weigh nothing: ask")
