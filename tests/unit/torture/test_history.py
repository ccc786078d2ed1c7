"""Histories as files: what is written is read again, and nothing else is."""

from itertools import count
from pathlib import Path

import pytest

from tests.faults.torture.history import BadHistory, HistoryWriter, line_of, read
from tests.faults.torture.records import End, Fault
from tests.support.torture_histories import valid_history


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path, made = tmp_path / "history.jsonl", valid_history(3)
    clock = count(1)
    with HistoryWriter(path, lambda: next(clock)) as writer:
        written = [writer.write(record) for record in made]
    assert list(read(path)) == written == made


def test_a_record_is_in_the_file_before_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with HistoryWriter(path, lambda: 5) as writer:
        record = writer.write(Fault(name="kill", target="nats", phase="begin", detail={"after": 1}))
        assert list(read(path)) == [record]
        assert (record.n, record.t_us) == (1, 5)


@pytest.mark.parametrize(
    "line",
    [
        b'{"n":1,"t_us":1,"type":"surprise"}',
        b'{"n":1,"t_us":1,"type":"end","settled":true,"more":1}',
        b'{"n":1,"t_us":1,"type":"end"}',
        b'{"n":1,"t_us":1,"type":"end","settled":"yes"}',
        b'{"n":"1","t_us":1,"type":"end","settled":true}',
        b'{"n":2,"t_us":1,"type":"end","settled":true}',
        b'{"n":1,"t_us":1,"type":"end","set',
        b"",
    ],
)
def test_what_is_no_record_is_an_error_that_names_its_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(BadHistory, match=r"^line 1"):
        list(read(path))


def test_time_that_goes_back_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    lines = [End(n=n, t_us=t_us, settled=True) for n, t_us in ((1, 2), (2, 1))]
    path.write_bytes(b"".join(line_of(line) for line in lines))
    with pytest.raises(BadHistory, match=r"^line 2"):
        list(read(path))
