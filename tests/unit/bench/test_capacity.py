"""The capacity sheet is arithmetic on what was measured, and stands in the document as computed."""

import json

import pytest

from bench.capacity import ASSUMED, DOCUMENT, EVENTS_A_DAY, filled, known, sheet
from bench.docs import JSON_FILE
from bench.report import Figure, document_of
from bench.rows import INGEST_FOLLOWED

MACHINE = {"date": "2026-11-21", "commit": "abc", "load_average": 0.1}


def test_the_document_holds_what_the_json_gives() -> None:
    document = json.loads(JSON_FILE.read_text("utf-8")) if JSON_FILE.exists() else {}
    text = DOCUMENT.read_text("utf-8")
    assert filled(text, document) == text


def test_what_no_run_has_written_says_so_and_what_one_has_names_its_run() -> None:
    figure = Figure(INGEST_FOLLOWED, [1_000.0], [2_000.0])
    found = known(document_of([figure.as_json()], MACHINE, quick=True))
    assert found["ingest_followed"].value == 1_000
    assert found["ingest_followed"].source == "abc, small sizes"
    assert all("not measured" in each.source for key, each in found.items() if "cpu" in key)
    skipped = Figure(INGEST_FOLLOWED, skipped="no rate")
    found = known(document_of([skipped.as_json()], MACHINE, quick=False))
    assert "not measured" in found["ingest_followed"].source


def test_ten_times_the_events_want_ten_times_of_everything_but_what_is_there_anyway() -> None:
    figures = known({})
    some, more = sheet(10**10, figures), sheet(10**11, figures)
    assert more.cores == pytest.approx(10 * some.cores)
    assert more.postgres_tb == pytest.approx(10 * some.postgres_tb)
    assert more.streams_tb == pytest.approx(10 * some.streams_tb)
    assert 9 * some.journals < more.journals <= 10 * some.journals
    least = sheet(1, figures)
    assert (least.journals, least.nodes) == (1, ASSUMED["nodes"].value)


def test_a_journal_and_a_core_are_never_fuller_than_assumed() -> None:
    figures = known({})
    for events in EVENTS_A_DAY:
        found = sheet(events, figures)
        room = figures["ingest_followed"].value * ASSUMED["full"].value
        assert (found.journals - 1) * room < found.peak_per_s <= found.journals * room
        assert found.cores <= found.nodes * ASSUMED["cores"].value
