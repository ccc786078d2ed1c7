"""Balances of the golden vectors, to the bit, by folding and through buckets."""

import hashlib
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.decay import decay_table
from services.projector.domain.effective import effective
from services.projector.domain.entries import fold
from services.projector.domain.facts import Touchpoint
from services.projector.domain.questions import balance_of_facts
from services.runtime.clock import day_from_date
from services.runtime.policy import default_policy
from tests.golden.vectors import Case, document, expectations, relationship_of

BALANCES = [
    pytest.param(case, expected, id=name)
    for name, case, expected in expectations()
    if "know_mp" in expected
]


def day_of(text: str) -> int:
    return day_from_date(date.fromisoformat(text))


def asked(case: Case, expected: Mapping[str, Any]) -> list[Touchpoint]:
    pair = relationship_of(expected["relationship"])
    known = effective(case.facts(expected.get("asked_after"))).touchpoints
    return [touchpoint for touchpoint in known if touchpoint.pair == pair]


def check(balance: Balance, expected: Mapping[str, Any]) -> None:
    assert (balance.know_mp, balance.care_mp) == (expected["know_mp"], expected["care_mp"])
    if "know_exact" in expected:
        assert balance.know == Fraction(expected["know_exact"])
        assert balance.care == Fraction(expected["care_exact"])


@pytest.mark.parametrize(("case", "expected"), BALANCES)
def test_a_fold_gives_the_expected_balance(case: Case, expected: Mapping[str, Any]) -> None:
    on = day_of(expected["on"])

    folded = fold(asked(case, expected), default_policy(), on)

    assert folded.unknown == ()
    check(Buckets(folded.entries).balance(on), expected)


@pytest.mark.parametrize(("case", "expected"), BALANCES)
def test_known_at_gives_the_expected_balance(case: Case, expected: Mapping[str, Any]) -> None:
    pair = relationship_of(expected["relationship"])
    facts = [fact for fact in case.facts() if not isinstance(fact, Touchpoint) or fact.pair == pair]

    balance = balance_of_facts(
        facts, default_policy(), day_of(expected["on"]), known_at=expected.get("asked_after")
    )

    check(balance, expected)


@pytest.mark.parametrize(
    ("half_life_days", "sha256"),
    [(int(h), sha256) for h, sha256 in document("corners")["decay_tables_sha256"].items()],
)
def test_a_decay_table_is_the_expected_one(half_life_days: int, sha256: str) -> None:
    text = ",".join(str(number) for number in decay_table(half_life_days))

    assert hashlib.sha256(text.encode()).hexdigest() == sha256
