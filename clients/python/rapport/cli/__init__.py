"""The command line of Rapport (`pip install rapport[cli]`)."""

import os
import sys


def main() -> None:
    """The `rapport` command.

    Exit codes: 0 done; 1 refused, nothing written; 2 not understood; 3 unavailable, or of unknown
    outcome; 4 `doctor` found a difference.
    """
    # Before gRPC is imported: with channels open, its fork handlers end children now and then, such
    # as the servers that `rapport up` starts again as another user.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        from rapport.cli.app import build, run
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in {"typer", "rich", "pydantic", "yaml"}:
            sys.exit(f"rapport: the command line needs `pip install 'rapport[cli]'` ({error})")
        raise
    run(build())
