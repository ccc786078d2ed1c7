"""`python -m tests.faults.torture --seed S --minutes M`: exit code 1 when a promise was broken."""

import argparse
import asyncio
import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from tests.faults.torture.guarantees import write_docs
from tests.faults.torture.run import HISTORY, Outcome, torture
from tests.faults.torture.schedule import ALL
from tests.support.databases import Background
from tests.support.servers import TestRun

_SHOWN_MAX = 40


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--seed", type=int, help="what everything random comes from")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults come")
    parser.add_argument("--faults", default="", help="only these, with commas between them")
    parser.add_argument("--nats", choices=("single", "r3"), help="in place of the seed's choice")
    parser.add_argument("--keep", type=Path, help="where history and report stay")
    parser.add_argument("--list", action="store_true", help="name the faults and do nothing")
    parser.add_argument("--write-docs", type=Path, metavar="REPORT", help="from a report, no run")
    arguments = parser.parse_args()
    if arguments.list:
        for fault in ALL:
            print(f"{fault.name:32} {(fault.__doc__ or '').strip()}")
        return 0
    if arguments.write_docs is not None:
        write_docs(json.loads(arguments.write_docs.read_text()))
        return 0
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="rapport-torture-"))
    directory.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}", flush=True)
    run, background = TestRun.begin(), Background()
    try:
        play = partial(_watched, run=run, background=background, directory=directory)
        outcome = uvloop.run(
            play(
                seed,
                arguments.minutes,
                faults=[name for name in arguments.faults.split(",") if name],
                nats_mode=arguments.nats,
            )
        )
    finally:
        background.close()
        run.end()
    (directory / "report.json").write_text(json.dumps(outcome.document(), indent=2) + "\n")
    show(outcome, directory)
    if not outcome.violations and arguments.keep is None:
        shutil.rmtree(directory)
    return 1 if outcome.violations else 0


def _waits(waiting: Any) -> Iterator[str]:
    """Where a coroutine stands, and what that waits for, inwards."""
    while waiting is not None:
        frames = [getattr(waiting, f"{kind}_frame", None) for kind in ("cr", "ag", "gi")]
        for frame in filter(None, frames):
            yield f"{frame.f_code.co_qualname} {frame.f_code.co_filename}:{frame.f_lineno}"
        waiting = next(
            (f for n in ("cr", "ag", "gi") if (f := getattr(waiting, f"{n}_await", None))), None
        )


async def _watched(*arguments: Any, **more: Any) -> Outcome:
    """A run that says, on SIGUSR1, what everybody in it waits for."""

    def say() -> None:
        for task in asyncio.all_tasks():
            print(task.get_name(), *_waits(task.get_coro()), sep="\n  ", file=sys.stderr)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, say)
    return await torture(*arguments, **more)


def show(outcome: Outcome, directory: Path) -> None:
    """Print what happened, the seed last."""
    print(f"NATS {outcome.nats}; {outcome.events} events in the journals; {outcome.seconds} s")
    print("calls:", ", ".join(f"{name} {number}" for name, number in outcome.calls.items()))
    done, failed = outcome.faults, outcome.faults_failed
    print(f"{'fault':32} {'done':>6} {'failed':>6}   (failed: another one kept it from happening)")
    for name in sorted({*done, *failed}):
        print(f"{name:32} {done.get(name, 0):6} {failed.get(name, 0):6}")
    if outcome.undrawn:
        print("their turn never came:", ", ".join(outcome.undrawn))
    for name, why in outcome.skipped.items():
        print(f"not tried: {name}: {why}")
    for violation in outcome.violations[:_SHOWN_MAX]:
        print(f"VIOLATION {violation}")
    print(f"violations: {len(outcome.violations)}")
    if outcome.violations:
        print(f"history: {directory / HISTORY}")
    print(f"seed {outcome.seed}")


if __name__ == "__main__":
    sys.exit(main())
