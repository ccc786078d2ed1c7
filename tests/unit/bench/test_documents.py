"""No figure in the documents is typed by hand."""

import json
import re
from pathlib import Path

import pytest

from bench.docs import BEGIN, CPU_BEGIN, CPU_END, DOCUMENTS, END, JSON_FILE, ROOT, filled, told_in

BENCHMARKS = ROOT / "docs/benchmarks.md"
# Sizes and settings have other units.
FIGURE = re.compile(r"\d[\d.,]*\s*(?:µs|ms|ns|MiB|GiB|MB|bytes|%|\w+/s|times)(?!\w)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_says_what_the_json_says(path: Path) -> None:
    document = json.loads(JSON_FILE.read_text("utf-8"))
    text = path.read_text("utf-8")
    assert filled(text, told_in(path, document)) == text


def test_the_prose_about_benchmarks_has_no_figures_of_its_own() -> None:
    text = BENCHMARKS.read_text("utf-8")
    for begin, end in ((BEGIN, END), (CPU_BEGIN, CPU_END)):
        assert text.count(begin) == text.count(end) == 1
        text = text.partition(begin)[0] + text.partition(end)[2]
    assert FIGURE.findall(text) == []
    assert FIGURE.findall("it takes 2.6 ms, or 1,200 calls/s") == ["2.6 ms", "1,200 calls/s"]
    assert "below target" not in text
