"""What a run came to, as the page on guarantees tells it."""

import re
from pathlib import Path

from tests.faults.torture.checker import RULES
from tests.faults.torture.guarantees import BEGIN, END, PAGE, write_docs
from tests.faults.torture.schedule import ALL

REPORT = {
    "seed": 7,
    "minutes": 3.0,
    "nats": "r3",
    "started_at": "2026-03-01T09:30:00Z",
    "machine": "2 cores, Linux x86_64",
    "events": 12_345,
    "calls": {
        "append": 1_000,
        "ok": 900,
        "received": 24_690,
        "unknown": 50,
        "writes unknown": 40,
        "reads unknown": 10,
    },
    "faults": {"replica-killed": 3, "network-slow": 2},
    "faults_failed": {"network-slow": 1, "deployment": 2},
    "undrawn": ["clock-jumps"],
    "skipped": {"postgres-disk-full": "only root may mount a small file system"},
    "violations": [],
}


def test_counts_stand_between_their_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "guarantees.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_docs(REPORT, page)
    write_docs(REPORT, page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "12,345 events" in text
    assert "| `replica-killed` | 3 | 0 |" in text
    assert "| `network-slow` | 2 | 1 |" in text
    assert "| `deployment` | 0 | 2 |" in text
    assert "| `clock-jumps` | its turn never came |" in text
    assert "5 faults of 2 kinds, and 3 that another fault kept" in text
    assert "**0 violations**" in text
    assert "40 writes of unknown outcome, settled by asking again" in text
    assert "10 reads that nobody asked again" in text
    assert "not tried: only root may mount" in text


def test_the_page_has_a_place_for_counts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)


def test_the_tests_it_names_are_there_and_every_rule_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    text = page[: page.index(BEGIN)]
    root, there = PAGE.parents[1], {path.name for path in (PAGE.parents[1] / "tests").rglob("*.py")}
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    assert {name for name in named if "/" in name and not (root / name).exists()} == set()
    assert {name for name in named if "/" not in name} <= there | {"skewed.py"}
    rules = {rule for names in RULES for rule in names.split(" and ")}
    assert rules - {"sound"} <= set(re.findall(r"`(\w+)`", text))


def test_every_fault_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len({fault.name for fault in ALL}) == len(ALL)
    assert all(fault.__doc__ for fault in ALL)
