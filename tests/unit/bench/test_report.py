"""Figures are ratios; the table says which are short, and nothing else does."""

import json
from typing import Any

import pytest

from bench import rows
from bench.chart import shares
from bench.docs import BEGIN, CPU_BEGIN, CPU_END, END, filled, merged
from bench.report import (
    Figure,
    Row,
    cpu_markdown,
    document_of,
    markdown,
    number,
    rounded,
    table,
)

MORE = Row("more", "ours", "theirs", "events/s", 0.7)
LESS = Row("less", "ours", "theirs", "ms", 1.2, at_most=True)
FREE = Row("free", "ours", "theirs", "ms", None)
MACHINE = {
    "date": "2026-01-01",
    "commit": "abc",
    "cpu": "A CPU",
    "cores": 2,
    "memory_gib": 8,
    "kernel": "6",
    "python": "3.13",
    "postgres": "18",
    "fsync": "on",
    "nats": "2.15",
    "grpcio": "1.85",
    "load_average": 0.1,
}


def document(*figures: Figure) -> dict[str, Any]:
    return document_of([figure.as_json() for figure in figures], MACHINE, quick=True)


def test_a_ratio_is_the_median_of_the_ratios_of_the_repeats() -> None:
    # Medians of both sides would say 20 / 40: but every repeat has a limit of its own.
    figure = Figure(MORE, [10, 20, 30], [10, 80, 40])
    assert figure.ratios == [1.0, 0.25, 0.75]
    assert figure.ratio == 0.75


@pytest.mark.parametrize(
    ("row", "subject", "is_short"),
    [
        (MORE, 0.69, True),
        (MORE, 0.7, False),
        (LESS, 1.2, False),
        (LESS, 1.21, True),
        (FREE, 0.1, False),
    ],
)
def test_a_target_is_a_floor_for_what_is_reached_and_a_ceiling_for_what_it_costs(
    row: Row, subject: float, is_short: bool
) -> None:
    assert Figure(row, [subject], [1.0]).is_short is is_short


def test_a_line_that_falls_short_ends_in_saying_so_and_no_other_has_the_words() -> None:
    told = document(
        Figure(MORE, [0.5], [1.0]),
        Figure(MORE, [0.9], [1.0]),
        Figure(MORE, skipped="not installed"),
        Figure(FREE, skipped="not installed"),
    )
    short, reached, skipped, free = table(told)
    assert short.endswith("below target")
    assert "below target" not in reached + free
    assert skipped.endswith("not installed   below target")
    assert markdown(told)[-2].endswith(
        "| not installed | abc, small sizes, load 0.1 | below target |"
    )
    assert free.endswith("not installed")


def test_no_row_has_the_words_in_its_name() -> None:
    named = [row for row in vars(rows).values() if isinstance(row, Row)]
    assert len({row.key for row in named}) == len(named)
    assert not any("below target" in row.what + row.over for row in named)


def test_the_spread_is_the_smallest_and_the_largest_repeat() -> None:
    figure = Figure(MORE, [50.0, 60, 70], [100, 100, 100]).as_json()
    assert (figure["ratio"], figure["ratio_min"], figure["ratio_max"]) == (0.6, 0.5, 0.7)


def test_a_share_of_a_cost_is_how_far_below_its_ceiling_it_stays() -> None:
    assert shares(document(Figure(LESS, [2.4], [1.0]), Figure(FREE, [1], [1]))) == [
        ("ours ÷ theirs", 0.5, 0.5, 0.5, False)
    ]


def test_a_cost_of_nothing_and_what_was_not_measured_are_drawn_all_the_same() -> None:
    told = document(Figure(LESS, [0.0, 0.0, 1.2], [1.0, 1.0, 1.0]), Figure(MORE, skipped="no rate"))
    assert shares(told) == [
        ("ours ÷ theirs", 10.0, 1.0, 10.0, True),
        ("ours ÷ theirs", 0.0, 0.0, 0.0, False),
    ]


def test_numbers_have_the_digits_that_mean_something() -> None:
    assert [number(value) for value in (12345.6, 100, 2.345, 0.01234)] == [
        "12,346",
        "100",
        "2.35",
        "0.0123",
    ]
    assert rounded(12345.6) == 12350


def test_a_run_of_some_rows_replaces_these_and_keeps_the_others() -> None:
    before = document(Figure(MORE, [1], [1]), Figure(LESS, [1], [1]))
    after = document(Figure(LESS, [2], [1]))
    both = merged(before, after)
    assert [(each["key"], each["ratio"]) for each in both["figures"]] == [("more", 1), ("less", 2)]


def test_what_stands_between_the_markers_is_made_from_the_run() -> None:
    told = document(Figure(MORE, [1], [1]))
    text = filled(f"before\n{BEGIN}\nold\n{END}\nafter\n", told)
    assert text == "\n".join(["before", BEGIN, *markdown(told), END, "after", ""])
    assert filled(text, told) == text


def test_the_cpu_of_all_parts_says_what_a_machine_can_reach_at_all() -> None:
    notes = {"cpu_us_ledger": 300.0, "cpu_us_client": 100.0, "limit_cpu_us_echo": 170.0}
    told = document(Figure(MORE, [1_000.0], [5_000.0], notes={**notes, "lag_s_max": 0.25}))
    assert told["machine"]["cores"] == 2
    lines = cpu_markdown(told)
    # Two cores give 2,000,000 µs a second: 5,000 events of 400.
    assert (
        "| ours | ledger 300 + client 100 | echo 170 | 5,000 events/s | 1.00 | at least 0.7 |"
        in lines
    )
    assert lines[-1] == "| ours | the views behind at the end of a repeat, at most | 0.25 s |"
    text = f"{BEGIN}\n{END}\nbetween\n{CPU_BEGIN}\nold\n{CPU_END}\nafter"
    found = filled(text, told)
    assert "\nold\n" not in found
    assert filled(found, told) == found


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        filled("nothing", document())


def test_every_figure_says_which_run_it_is_of() -> None:
    told = document(Figure(MORE, [1], [1]))
    run = {"date": "2026-01-01", "commit": "abc", "quick": True, "load_average": 0.1}
    assert told["figures"][0]["run"] == run
    assert "| abc, small sizes, load 0.1 |" in markdown(told)[-1]


def test_a_run_is_written_as_json_and_reads_back_the_same() -> None:
    told = document(Figure(MORE, [1, 2, 3], [2, 2, 2], notes={"lag_s": 0.5}))
    assert json.loads(json.dumps(told)) == told
