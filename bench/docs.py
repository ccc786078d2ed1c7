"""The documents quote the JSON: what stands between their markers is made from it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.report import cpu_markdown, markdown

ROOT: Final = Path(__file__).resolve().parent.parent
JSON_FILE: Final = ROOT / "docs/benchmarks.json"
# With every figure, and with those that have a target others may judge Rapport by.
_WHOLE, _JUDGED = ROOT / "docs/benchmarks.md", ROOT / "README.md"
DOCUMENTS: Final = (_WHOLE, _JUDGED)
BEGIN: Final = "<!-- benchmarks: made by `rapport bench --write-docs` -->"
END: Final = "<!-- end of benchmarks -->"
CPU_BEGIN: Final = "<!-- cpu: made by `rapport bench --write-docs` -->"
CPU_END: Final = "<!-- end of cpu -->"


def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A run of some rows in place of the same rows of an earlier one."""
    known = {figure["key"]: figure for figure in before.get("figures", ())}
    known |= {figure["key"]: figure for figure in after["figures"]}
    return {**after, "figures": list(known.values())}


def filled(text: str, document: Mapping[str, Any]) -> str:
    """A document with the tables between its markers; ValueError if it has none for the first."""
    text = _between(text, BEGIN, END, markdown(document))
    if CPU_BEGIN not in text:
        return text
    return _between(text, CPU_BEGIN, CPU_END, cpu_markdown(document))


def _between(text: str, begin: str, end: str, lines: Sequence[str]) -> str:
    head, begun, rest = text.partition(begin)
    _, ended, tail = rest.partition(end)
    if not begun or not ended:
        raise ValueError("the markers of the benchmarks are missing")
    return f"{head}{begin}\n{'\n'.join(lines)}\n{end}{tail}"


def told_in(path: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a run stands in one of DOCUMENTS."""
    figures = document["figures"]
    if path == _JUDGED:
        figures = [each for each in figures if _is_judged(each)]
    return {**document, "figures": figures}


def _is_judged(figure: Mapping[str, Any]) -> bool:
    return figure["target"] is not None and not figure["key"].startswith("group_commit")


def write(document: Mapping[str, Any]) -> None:
    """Replace the rows of this run in the JSON, and what the documents quote of it."""
    from bench import capacity  # it reads where the JSON is

    if JSON_FILE.exists():
        document = merged(json.loads(JSON_FILE.read_text("utf-8")), document)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    JSON_FILE.write_text(text, encoding="utf-8")
    for path in DOCUMENTS:
        text = filled(path.read_text("utf-8"), told_in(path, document))
        path.write_text(text, encoding="utf-8")
    capacity.write(document)
