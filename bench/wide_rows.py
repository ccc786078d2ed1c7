"""Large tenants against small ones, question by question; without targets of their own."""

import shutil
from pathlib import Path

from bench.report import Figure, Row
from bench.settings import Settings
from bench.stack import bench_directory
from bench.wide import parser, run
from deploy.local.postgres import remove_home
from deploy.local.state import StackState


async def measure(settings: Settings) -> list[Figure]:
    """One figure a question: medians in both tenants, asked in random order."""
    directory = bench_directory()
    small, large = settings.wide_sizes
    arguments = ["--dir", str(directory), "--small", small, "--large", large]
    try:
        report = await run(parser().parse_args(arguments))
    finally:
        state = StackState.load(directory)
        if state is not None and state.postgres_home is not None:
            remove_home(Path(state.postgres_home))
        shutil.rmtree(directory, ignore_errors=True)
    figures = []
    for line in report["calls"]:
        row = Row(
            f"wide_{line['call']}", f"{line['call']} at {large}", small, "ms", None, at_most=True
        )
        notes = {"first_small_ms": line["first_small_p50_ms"]}
        notes["first_large_ms"] = line["first_large_p50_ms"]
        figures.append(Figure(row, [line["large_p50_ms"]], [line["small_p50_ms"]], notes=notes))
    return figures
