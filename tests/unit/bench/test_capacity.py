"""The capacity sheet is arithmetic on what was measured, and stands in the document as computed."""

import json

import pytest

from bench.capacity import (
    ASSUMED,
    DOCUMENT,
    EVENTS_A_DAY,
    Assumption,
    filled,
    known,
    sheet,
    way_per_s,
)
from bench.docs import JSON_FILE
from bench.report import Figure, document_of
from bench.rows import INGEST_FOLLOWED

WAYS = ("streamed", "alone")
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
        room = way_per_s(figures) * ASSUMED["full"].value
        assert (found.journals - 1) * room < found.peak_per_s <= found.journals * room
        assert found.cores <= found.nodes * ASSUMED["cores"].value


def assume(monkeypatch: pytest.MonkeyPatch, name: str, value: float) -> None:
    monkeypatch.setitem(ASSUMED, name, Assumption("", value, ""))


def test_events_that_come_alone_hold_a_journal_up_by_what_they_take_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = known({})
    streamed = figures["ingest_followed"].value
    assume(monkeypatch, "alone", 0.0)
    assert way_per_s(figures) == streamed
    assume(monkeypatch, "alone", 1.0)
    cpu = {way: sum(f.value for k, f in figures.items() if k.endswith(way)) for way in WAYS}
    assert way_per_s(figures) == pytest.approx(streamed * cpu["streamed"] / cpu["alone"])


def test_copies_of_streams_and_of_postgres_take_cores_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = known({})
    with_copies = sheet(10**10, figures).cores
    for name in ("r", "standby"):
        assume(monkeypatch, name, 1)
    without = sheet(10**10, figures).cores
    assert with_copies > 1.1 * without


def test_read_models_and_keys_stay_whatever_goes_to_files(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = known({})
    whole = sheet(10**10, figures)
    assume(monkeypatch, "kept", 0)
    gone = sheet(10**10, figures)
    assert gone.postgres_tb == pytest.approx(gone.postgres_tb_a_year)
    assert 0 < whole.postgres_tb_a_year == gone.postgres_tb_a_year < whole.postgres_tb
