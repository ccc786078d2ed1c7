"""Mapping files, and the events their rows make."""

from pathlib import Path
from textwrap import dedent

import pytest
from rapport.cli.importing.events import RowProblem, Rule
from rapport.cli.importing.mapping import MappingError, read_mapping
from rapport.cli.importing.rows import TableFile
from rapport.v1 import ledger_service_pb2 as ledger

CRM = """
    source: crm
    identity: {column: id}
    event:
      kind: {column: what, map: {tel: call, post: message.personal}}
      initiator: {column: from, pattern: '(\\S+)@', case: lower, template: "people/{}"}
      counterpart: {column: 3, template: "people/{}"}
      occurred_at: {column: at, time: "%d.%m.%Y %H:%M", zone: Europe/Berlin}
      minutes.live: {column: minutes, optional: true}
      mutual: {when: {column: what, equals: tel}, then: true}
      initiative: {when: {column: what, one_of: [tel]}, then: PROACTIVE, else: RESPONSIVE}
      attributes.crm.row: nothing
"""
ROWS = """\
id,from,to,what,at,minutes
1,Ann@x.example,bob,tel,12.01.2026 10:00,15
2,Ann@x.example,bob,post,12.07.2026 10:00,
3,nobody,bob,tel,12.01.2026 10:00,15
4,ann@x.example,bob,fax,12.01.2026 10:00,15
5,ann@x.example,bob,tel,2026-01-12,15
6,ann@x.example,bob,tel,12.01.2026 10:00,long
7,ann@x.example,bob,tel
"""


def made(
    folder: Path, mapping: str, rows: str | bytes
) -> list[ledger.NewEvent | tuple[int, int, str, str]]:
    """Events, or (line, record, field, reason) of rows that make none."""
    mapping_file, table_file = folder / "m.yaml", folder / "rows.csv"
    mapping_file.write_text(dedent(mapping))
    table_file.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    rules = read_mapping(mapping_file)
    results: list[ledger.NewEvent | tuple[int, int, str, str]] = []
    with TableFile(table_file, rules.file) as table:
        rule = Rule(rules, table)
        for record in table:
            try:
                results.append(rule.event(record))
            except RowProblem as problem:
                results.append((record.line, record.number, problem.field, problem.reason))
    return results


def as_event(result: object) -> ledger.NewEvent:
    assert isinstance(result, ledger.NewEvent)
    return result


def test_columns_go_through_pattern_case_map_time_and_template(tmp_path: Path) -> None:
    mapping = CRM.replace("      attributes.crm.row: nothing\n", "")
    results = made(tmp_path, mapping, ROWS)
    first, second = as_event(results[0]), as_event(results[1])
    assert (first.touchpoint.initiator, first.touchpoint.counterpart) == (
        "people/ann",
        "people/bob",
    )
    assert (first.touchpoint.kind, second.touchpoint.kind) == ("call", "message.personal")
    assert first.occurred_at.seconds == 1_768_208_400, "10:00 in Berlin in winter"
    assert second.occurred_at.seconds == 1_783_843_200, "10:00 in Berlin in summer"
    assert (first.touchpoint.minutes.live, second.touchpoint.HasField("minutes")) == (15, False)
    assert (first.touchpoint.mutual, second.touchpoint.mutual) == (True, False)
    assert (first.touchpoint.initiative, second.touchpoint.initiative) == (1, 2)


def test_a_row_that_makes_no_event_says_which_field_and_why(tmp_path: Path) -> None:
    mapping = CRM.replace("      attributes.crm.row: nothing\n", "")
    assert made(tmp_path, mapping, ROWS)[2:] == [
        (4, 3, "initiator", "nothing in it matches the pattern"),
        (5, 4, "kind", "not in the map"),
        (6, 5, "occurred_at", "not a time of the form %d.%m.%Y %H:%M"),
        (7, 6, "minutes.live", "not a whole number"),
        (8, 7, "", "4 columns instead of 6"),
    ]


def test_event_ids_come_from_the_source_and_the_rows_identity(tmp_path: Path) -> None:
    mapping = CRM.replace("      attributes.crm.row: nothing\n", "")
    lines = ROWS.splitlines(keepends=True)
    forwards = made(tmp_path, mapping, "".join(lines[:3]))
    backwards = made(tmp_path, mapping, "".join([lines[0], lines[2], lines[1]]))
    assert forwards == backwards[::-1]
    other = made(tmp_path, mapping.replace("source: crm", "source: crm2"), "".join(lines[:3]))
    assert as_event(other[0]).event_id != as_event(forwards[0]).event_id


MINIMAL = """
    source: s
    file: {delimiter: whitespace, header: false, columns: 3}
    event:
      kind: call
      initiator: {column: 1, template: "people/{}"}
      counterpart: {column: 2, template: "people/{}"}
      occurred_at: {column: 3, time: unix}
"""


def test_equal_lines_without_an_identity_are_different_events(tmp_path: Path) -> None:
    results = made(tmp_path, MINIMAL, "a  b 100\na\tb 100\n\na b 1.5\n")
    first, second = as_event(results[0]), as_event(results[1])
    assert first.event_id != second.event_id
    assert first.touchpoint == second.touchpoint
    assert results[2] == (3, 3, "", "0 columns instead of 3")
    assert as_event(results[3]).occurred_at.nanos == 500_000_000


def test_a_record_may_span_lines_and_its_line_is_where_it_begins(tmp_path: Path) -> None:
    mapping = """
        source: s
        event: {kind: {column: text}, initiator: {column: who}}
    """
    results = made(tmp_path, mapping, 'who,text\r\na,"one\r\ntwo"\r\nb\r\nc,three\r\n')
    assert as_event(results[0]).touchpoint.kind == "one\r\ntwo"
    assert results[1] == (4, 2, "", "1 columns instead of 2")
    assert as_event(results[2]).touchpoint.initiator == "c"


def test_bytes_that_are_no_text_break_their_row_alone(tmp_path: Path) -> None:
    mapping = """
        source: s
        event: {kind: call, initiator: {column: who}}
    """
    results = made(tmp_path, mapping, b"\xef\xbb\xbfwho\n\xff\nb\n")
    assert results[0] == (2, 1, "initiator", "out of range, or not valid text")
    assert as_event(results[1]).touchpoint.initiator == "b"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("source: s", "event: Field required"),
        ("source: s\nevent: {kind: call}\ncolour: red", "colour: Extra inputs"),
        ("source: s\nevent: {kind: {column: a, constant: b}}", "one of constant, column and when"),
        ("source: s\nevent: {kind: {column: a, pattern: '('}}", "no regular expression"),
        ("source: s\nevent: {kind: {column: a, pattern: '(a)(b)'}}", "at most one group"),
        ("source: s\nevent: {kind: {column: a, template: x}}", "holds {} once"),
        ("source: s\nevent: {kind: {column: a, zone: Mars}}", "no such time zone"),
        ("source: s\nevent: {kind: {when: {column: a}, then: b}}", "one of equals"),
        ("source: s\nfile: {delimiter: ab}\nevent: {}", "file.delimiter"),
        ("source: s\nfile: {header: false}\nevent: {}", "`columns` says"),
        ("source: [", "is not YAML"),
        ("source: s\nevent: {kind: {column: b}}", "no single column 'b'"),
        ("source: s\nevent: {kind: {column: 2}}", "numbered 1 to 1"),
        ("source: s\nevent: {colour: red}", "has no field colour"),
        ("source: s\nevent: {kind.of: red}", "kind has no fields"),
        ("source: s\nevent: {initiative: SLEEPY}", "event.initiative"),
        ("source: s\nevent: {severity: high}", "not a whole number"),
        ("source: s\nevent: {event_id: x}", "derived from"),
        ("source: s\ntype: Gossip\nevent: {}", "type: one of"),
    ],
)
def test_a_wrong_mapping_is_refused_before_the_first_row(
    tmp_path: Path, mapping: str, words: str
) -> None:
    with pytest.raises(MappingError) as caught:
        made(tmp_path, mapping, "a\n1\n")
    assert words in str(caught.value)
