"""Logs: one JSON object a line, and nothing personal in it whatever a caller does."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from services.runtime import logs

SERVICES = Path(logs.__file__).parents[1]
METHODS = {"debug", "info", "warning", "error", "critical", "exception"}


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("ledger", stream=stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_holds_time_level_module_service_and_known_keys(output: io.StringIO) -> None:
    event_id = "5a9a1718-6f11-4742-8228-82dcc5848dc0"
    logs.get_logger("services.x").info(
        "relay caught up", position=5, journal="main", event_id=event_id, migrations=["0001_a"]
    )
    (line,) = lines(output)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info", "event": "relay caught up", "module": "services.x", "service": "ledger",
        "position": 5, "journal": "main", "event_id": event_id, "migrations": ["0001_a"],
    }  # fmt: skip


def test_texts_people_and_unknown_keys_never_reach_a_line(output: io.StringIO) -> None:
    logs.get_logger("services.x").warning(
        "Ann's \"daughter\" graduates", note="secret", name="secret", person="people/secret",
        home="people/secret", reason="a secret sentence", position="secret", event_id="secret",
        journal="secret@example.org", codes=["secret"], what=["se cret", {"a": "secret"}],
    )  # fmt: skip
    (line,) = lines(output)
    assert "secret" not in output.getvalue()
    assert "Ann" not in output.getvalue()
    assert line["event"] == "unnamed"
    assert line["dropped"] == ["codes", "home", "name", "note", "person"]
    assert line["reason"] == line["position"] == line["event_id"] == logs.WITHHELD


def raise_with_causes() -> None:
    try:
        raise asyncpg.UniqueViolationError("Key (note)=(secret) already exists.")
    except asyncpg.UniqueViolationError as error:
        raise ValueError("secret") from error


def test_an_exception_is_its_classes_and_places_without_its_message(output: io.StringIO) -> None:
    try:
        raise_with_causes()
    except ValueError:
        logs.get_logger("services.x").exception("append failed")
    (line,) = lines(output)
    assert "secret" not in output.getvalue()
    exception = line["exception"]
    assert exception["class"] == "builtins.ValueError"
    assert [place.split()[-1] for place in exception["traceback"]] == [
        "test_an_exception_is_its_classes_and_places_without_its_message",
        "raise_with_causes",
    ]
    (cause,) = exception["causes"]
    assert cause["class"] == "asyncpg.exceptions.UniqueViolationError"
    assert cause["sqlstate"] == "23505"


def test_a_message_that_promises_to_be_harmless_is_kept() -> None:
    class ConfigError(RuntimeError):
        safe_message = True

    assert logs.describe(ConfigError("set RAPPORT_X"))["message"] == "set RAPPORT_X"
    assert "message" not in logs.describe(RuntimeError("secret"))


def test_every_error_of_a_group_is_described() -> None:
    described = logs.describe(ExceptionGroup("secret", [ValueError("secret"), KeyError("secret")]))
    assert [each["class"] for each in described["errors"]] == [
        "builtins.ValueError",
        "builtins.KeyError",
    ]
    assert "secret" not in json.dumps(described)


def test_records_of_libraries_keep_their_place_and_lose_their_message(output: io.StringIO) -> None:
    try:
        raise OSError(111, "secret")
    except OSError:
        logging.getLogger("some.library").exception("hello %s", "secret")
    logging.getLogger("some.library").info("chatter")
    (line,) = lines(output)
    assert "secret" not in output.getvalue()
    assert (line["level"], line["module"]) == ("error", "some.library")
    assert line["source"].startswith("test_logs:")
    assert line["exception"]["errno"] == "111"


def test_lines_below_the_level_are_not_written(output: io.StringIO) -> None:
    logs.get_logger("services.x").debug("detail")
    assert output.getvalue() == ""


def logging_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(SERVICES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in METHODS
                and ast.unparse(node.func.value).split(".")[-1] in {"_log", "log", "logger"}
            ):
                yield f"{path.relative_to(SERVICES)}:{node.lineno}", node


def test_every_logging_call_of_the_services_is_a_literal_with_known_keys() -> None:
    wrong = []
    for place, call in logging_calls():
        event = call.args[0] if call.args else None
        if not (
            isinstance(event, ast.Constant)
            and isinstance(event.value, str)
            and len(call.args) == 1
            and logs.is_event(event.value)
        ):
            wrong.append(f"{place}: the event is one literal of short plain words")
        unknown = {k.arg or "**" for k in call.keywords} - logs.ALLOWED_KEYS - {"exc_info"}
        if unknown:
            wrong.append(f"{place}: keys unknown to logs.py: {sorted(unknown)}")
    assert wrong == []
