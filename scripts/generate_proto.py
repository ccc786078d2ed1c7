"""Generates the Python code of every .proto file into the client package (`make proto`).

With `--check` it generates beside and compares: exit 1 names every file that is not fresh.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = ROOT / "clients" / "python" / "rapport"


def generate(out: Path) -> None:
    """Write `*_pb2.py`, `*_pb2.pyi`, `*_pb2_grpc.py` and `.pyi` for all protos below `out`."""
    protos = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    services = [path for path in protos if path.endswith("_service.proto")]
    include = [f"-I{PROTO}", f"-I{files('grpc_tools') / '_proto'}"]
    messages = [f"--python_out={out}", f"--mypy_out=quiet,readable_stubs:{out}", *protos]
    stubs = [f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services]
    for arguments in (messages, stubs):
        if protoc.main(["protoc", *include, *arguments]) != 0:
            raise SystemExit("protoc failed: see above")


def generated(package: Path) -> dict[str, Path]:
    found = (*package.rglob("*_pb2*.py"), *package.rglob("*_pb2*.pyi"))
    return {str(path.relative_to(package)): path for path in sorted(found)}


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = generated(Path(scratch) / "rapport")
        present = generated(PACKAGE)
        stale = sorted(
            name
            for name in fresh.keys() | present.keys()
            if name not in fresh
            or name not in present
            or not filecmp.cmp(fresh[name], present[name], shallow=False)
        )
        if "--check" in sys.argv[1:]:
            for name in stale:
                print(f"not fresh: clients/python/rapport/{name} (run `make proto`)")
            return 1 if stale else 0
        for name in stale:
            target = PACKAGE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if name in fresh:
                shutil.copyfile(fresh[name], target)
            else:
                target.unlink()
        print(f"{len(fresh)} generated files, {len(stale)} changed")
        return 0


if __name__ == "__main__":
    sys.exit(main())
