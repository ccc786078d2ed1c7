"""`stack.json`: what is written is read again, and nothing is read that should not be."""

import json
import stat
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.files import secret_in, write_private
from deploy.local.process import ProcessIdentity
from deploy.local.state import FILE_NAME, StackState


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = StackState(
        installation="0a1b2c3d",
        ready=True,
        env={"RAPPORT_LEDGER_TARGET": "127.0.0.1:4"},
        endpoints={"ledger": "127.0.0.1:4"},
        passwords={"journal": "secret"},
        postgres_home="/somewhere",
        processes={"ledger": ProcessIdentity(7, "boot:1")},
        fingerprints={"ledger": "f"},
        supervisor=ProcessIdentity(8, "boot:2"),
    )
    written.save(tmp_path)
    assert StackState.load(tmp_path) == written


def test_the_file_is_its_owners_alone_and_nothing_else_is_left_beside_it(tmp_path: Path) -> None:
    StackState("0a1b2c3d").save(tmp_path)
    StackState("0a1b2c3d", ready=True).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_folder_where_nothing_was_up_has_no_state(tmp_path: Path) -> None:
    assert StackState.load(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot read"),
        ("[]", "another version"),
        (json.dumps({"format": 99}), "another version"),
        (json.dumps({"format": 1, "installation": "x"}), "damaged"),
    ],
)
def test_a_state_that_cannot_be_understood_is_refused_in_one_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(StackError, match=reason) as refused:
        StackState.load(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    first = secret_in(tmp_path / "secret")
    assert secret_in(tmp_path / "secret") == first
    assert len(first) >= 43
    assert secret_in(tmp_path / "other") != first


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    write_private(path, "old")

    def broken(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("deploy.local.files.os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["kept"]
