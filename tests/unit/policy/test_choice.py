"""Which policy computes the balance of a day."""

import json
from datetime import date

from services.runtime.clock import day_from_date
from services.runtime.policy import AdoptedPolicy, Policy, choose_policy, default_policy


def adopted(name: str, effective_from: str, position: int) -> AdoptedPolicy:
    document = json.loads(default_policy().canonical_json)
    document.update(policy=name, effective_from=effective_from)
    return AdoptedPolicy(Policy.parse(json.dumps(document)), position)


def chosen(candidates: list[AdoptedPolicy], day: str) -> str:
    return choose_policy(candidates, day_from_date(date.fromisoformat(day))).name


def test_without_an_adoption_the_default_holds_on_every_day() -> None:
    assert chosen([], "0001-01-01") == "default"
    assert chosen([], "1999-12-31") == "default"
    assert chosen([], "2030-01-01") == "default"


def test_the_latest_effective_from_not_after_the_day_holds() -> None:
    candidates = [adopted("second", "2026-01-01", 5), adopted("first", "2025-01-01", 9)]

    assert chosen(candidates, "2024-12-31") == "default"
    assert chosen(candidates, "2025-01-01") == "first"
    assert chosen(candidates, "2025-12-31") == "first"
    assert chosen(candidates, "2026-01-01") == "second"


def test_of_equal_days_the_highest_position_holds() -> None:
    candidates = [adopted("later", "2025-01-01", 9), adopted("earlier", "2025-01-01", 3)]

    assert chosen(candidates, "2025-06-01") == "later"


def test_an_adoption_for_the_day_of_the_default_takes_its_place() -> None:
    assert chosen([adopted("ours", "2000-01-01", 1)], "2000-01-01") == "ours"
    assert chosen([adopted("ours", "2000-01-01", 1)], "1999-12-31") == "ours"


def test_before_the_earliest_effective_from_the_earliest_policy_holds() -> None:
    candidates = [adopted("old", "1990-01-01", 4), adopted("new", "2025-01-01", 2)]

    assert chosen(candidates, "1980-01-01") == "old"
    assert chosen(candidates, "1999-12-31") == "old"
    assert chosen(candidates, "2000-01-01") == "default"
