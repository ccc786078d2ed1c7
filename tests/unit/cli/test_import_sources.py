"""The import commands, as typed."""

import json
import stat
from pathlib import Path

import pytest
from rapport.cli.app import build
from typer.testing import CliRunner

from tests.unit.cli.importing_support import written

RUNNER = CliRunner()
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEMAIL:ann@x.example\nEND:VCARD\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RAPPORT_LEDGER_TARGET", raising=False)
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    result = RUNNER.invoke(build(plugins=False), ["import", *words])
    return result.exit_code, result.stdout, result.stderr


def test_a_dry_run_says_what_there_is_and_leaves_nothing_behind(here: Path) -> None:
    written(here, "a.vcf", CARD + CARD.replace("ann", "bob") + "BEGIN:VCARD\nEND:VCARD\n")
    code, out, _ = run("vcard", "a.vcf", "--dry-run", "--json", "--ours", "x.example")
    said = json.loads(out)
    assert code == 0
    assert (said["events"], said["rejected"]) == (2, 1)
    assert said["kinds"] == {"party_described": 2}
    assert not (here / "home").exists()
    assert "card" not in (here / "a.rejects.csv").read_text().splitlines()[0]


def test_the_map_is_kept_even_when_the_ledger_is_not_there(here: Path) -> None:
    written(here, "a.vcf", CARD)
    code, _, err = run("vcard", "a.vcf", "--map", "m")
    assert code == 3, err
    assert stat.S_IMODE((here / "m" / "key").stat().st_mode) == 0o600
    assert (here / "m" / "people.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ics", "none.ics"], "none.ics cannot be read"),
        (["ics", "x", "--zone", "Mars"], "no time zone Mars"),
        (["ics", "x", "--me", "nonsense"], "no e-mail address"),
        (["vcard", "x", "--since", "soon"], "--since"),
        (["linkedin", "x.csv"], "x.csv cannot be read"),
        (["mbox", "none", "--me", "a@x.example"], "none cannot be read"),
        (["mbox", "none"], "--me"),
    ],
)
def test_what_cannot_be_imported_is_a_usage_error(words: list[str], said: str) -> None:
    code, _, err = run(*words, *([] if "--dry-run" in words else ["--dry-run"]))
    assert code == 2
    assert said in err
