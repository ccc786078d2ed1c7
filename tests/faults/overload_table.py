"""Write what a run of the overload tests came to into docs/operations.md."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

DOCUMENT: Final = Path(__file__).parents[2] / "docs/operations.md"
BEGIN: Final = "<!-- overload: made by `python -m tests.faults.overload_table` -->"
END: Final = "<!-- end of overload -->"


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A line an edge; memory is resident, in MiB, warmed and at its peak over that."""
    lines = [
        "| edge | seconds | answered | refused | own deadline passed | cut off | memory, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        refused = ", ".join(f"{count:,} {reason}" for reason, count in row["refused"].items())
        lines.append(
            f"| {row['edge']} | {row['seconds']:g} | {row['answered']:,} | {refused or 'none'} "
            f"| {row['expired']:,} | {row['cut_off']:,} "
            f"| {row['began_mib']} {row['growth_mib']:+} |"
        )
    return lines


def filled(text: str, lines: Sequence[str]) -> str:
    """The document with the table between its markers; ValueError if it has none."""
    head, begun, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not begun or not ended:
        raise ValueError("the markers of the overload table are missing")
    made = "\n".join(lines)
    return f"{head}{BEGIN}\n{made}\n{END}{tail}"


def main() -> None:
    """The command: takes the file that RAPPORT_OVERLOAD_OUT named."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    text = filled(DOCUMENT.read_text(encoding="utf-8"), table([json.loads(each) for each in lines]))
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
