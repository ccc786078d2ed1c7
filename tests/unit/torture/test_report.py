"""The report of a torture run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.torture.checker import check
from tests.faults.torture.history import line_of
from tests.faults.torture.records import Fault
from tests.faults.torture.report import count, main, render_json, render_text, shown_of
from tests.support.torture_histories import valid_history
from tests.support.torture_plants import planted
from tests.support.torture_plants_of_copies import wrong_balance


def test_it_counts_records_calls_and_faults() -> None:
    records = valid_history(1)
    told = json.loads(render_json(count(records), check(records)))
    assert told["settled"]
    assert sum(told["records"].values()) == len(records)
    invoked = sum(number for of in told["calls"].values() for number in of.values())
    assert invoked == told["records"]["invoke"]
    assert sum(told["faults"].values()) == told["records"]["fault"] // 2
    assert told["reasons"]["definite"]["LEDGER_BUSY"] >= 1
    assert told["violations"] == []


def test_a_fault_that_was_kept_from_happening_is_counted_apart() -> None:
    records = [
        replace(each, detail={"problem": "no", "done": False})
        if isinstance(each, Fault) and each.name == "kill" and each.phase == "end"
        else each
        for each in valid_history(1)
    ]
    told = json.loads(render_json(count(records), []))
    assert told["faults_failed"]["kill"] >= 1
    assert "kill" not in told["faults"]


def test_a_call_without_an_outcome_is_counted_as_unanswered() -> None:
    records = [each for each in valid_history(1) if each.type != "unknown"]
    assert count(records).outcomes()["append"]["unanswered"] >= 1


def test_the_text_shows_a_violation_with_its_records() -> None:
    records = planted(wrong_balance, valid_history(2), 2)
    violations = check(records)
    (violation,) = violations
    text = render_text(count(records), violations, shown_of(records, violations))
    assert "1 violations of 27 rules" in text
    assert violation.message in text
    assert all(f'{{"n":{n},' in text for n in violation.records)


def test_a_kept_history_is_judged_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, records = tmp_path / "history.jsonl", valid_history(4)
    path.write_bytes(b"".join(map(line_of, records)))
    assert main([str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["violations"] == []
    path.write_bytes(b"".join(map(line_of, planted(wrong_balance, records, 4))))
    assert main([str(path)]) == 1
    assert "answer: " in capsys.readouterr().out
