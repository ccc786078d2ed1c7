"""The example mappings on real data: every row is an event or a reject with its reason."""

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rapport.cli.app import build
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RAPPORT_SAMPLE_DATA", ROOT.parent / "shared" / "data"))


def dry_run(name: str, mapping: str, rejects: Path) -> dict[str, Any]:
    if not (DATA / name).exists():
        pytest.skip(f"no {name} in {DATA}: set RAPPORT_SAMPLE_DATA to the folder that has it")
    options = ["--mapping", str(ROOT / "examples" / mapping), "--rejects", str(rejects)]
    result = CliRunner().invoke(
        build(plugins=False),
        ["import", "csv", str(DATA / name), *options, "--dry-run", "--json"],
    )
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_every_college_message_is_an_event(tmp_path: Path) -> None:
    found = dry_run("college-messages.txt", "college-messages.yaml", tmp_path / "rejects.csv")
    assert (found["rows"], found["events"], found["rejected"]) == (59_835, 59_835, 0)
    assert (found["people"], found["relationships"]) == (1_899, 13_838)
    assert not (tmp_path / "rejects.csv").exists()


def test_tweets_that_name_nobody_and_broken_records_are_rejects(tmp_path: Path) -> None:
    found = dry_run("support-tweets.csv", "support-tweets.yaml", tmp_path / "rejects.csv")
    assert (found["rows"], found["events"], found["rejected"]) == (5_002, 4_879, 123)
    assert found["relationships"] == 1_920
    with (tmp_path / "rejects.csv").open(newline="") as file:
        rejects = list(csv.DictReader(file))
    reasons = Counter(
        (reject["field"], "columns instead of 8" in reject["reason"]) for reject in rejects
    )
    assert reasons == {("counterpart", False): 120, ("", True): 3}
    assert all(int(reject["line"]) > 1 for reject in rejects)
