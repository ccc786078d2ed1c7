"""No figure in the documents is typed by hand."""

import json
from pathlib import Path

import pytest

from bench.docs import DOCUMENTS, JSON_FILE, filled, told_in


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_says_what_the_json_says(path: Path) -> None:
    document = json.loads(JSON_FILE.read_text("utf-8"))
    text = path.read_text("utf-8")
    assert filled(text, told_in(path, document)) == text
