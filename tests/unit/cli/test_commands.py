"""Options, exit codes and what is said, without a server."""

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
import typer
from rapport import RapportError, Violation
from rapport.cli.app import build, run
from rapport.cli.balance_commands import known_at_of_option
from rapport.cli.command import Call, UsageProblem, add, group
from rapport.cli.config import find_targets
from rapport.cli.event_output import full_document
from rapport.cli.output import points
from rapport.v1 import timeline_service_pb2 as timelines
from typer.testing import CliRunner

RUNNER = CliRunner()


def refusing(error: Exception | None) -> typer.Typer:
    """An application of one command that ends so."""

    async def command(call: Call, word: str, number: int = 3) -> None:
        if error is not None:
            raise error
        call.answer({"word": word, "number": number, "tenant": call.tenant}, lambda: word)

    app = typer.Typer()
    app.callback()(lambda: None)
    add(app, "say", command)
    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (RapportError("KIND_UNKNOWN", "no", code=grpc.StatusCode.INVALID_ARGUMENT), 1),
        (RapportError("INTERNAL", "no", code=grpc.StatusCode.INTERNAL), 1),
        (UsageProblem("what?"), 2),
        (RapportError("UNAVAILABLE", "no", code=grpc.StatusCode.UNAVAILABLE), 3),
        (RapportError("OUTCOME_UNKNOWN", "no", code=grpc.StatusCode.DEADLINE_EXCEEDED), 3),
        (RapportError("TOO_BUSY", "no", code=grpc.StatusCode.RESOURCE_EXHAUSTED), 3),
    ],
)
def test_how_a_command_ends_is_its_exit_code(error: Exception | None, code: int) -> None:
    assert RUNNER.invoke(refusing(error), ["say", "hello"]).exit_code == code


def test_a_wrong_option_is_a_usage_error() -> None:
    assert RUNNER.invoke(refusing(None), ["say", "hello", "--loud"]).exit_code == 2


def test_every_command_takes_the_shared_options_after_its_own() -> None:
    result = RUNNER.invoke(
        refusing(None), ["say", "hello", "--number", "5", "--tenant", "acme", "--json"]
    )
    assert json.loads(result.stdout) == {"word": "hello", "number": 5, "tenant": "acme"}


def test_an_error_is_json_on_stderr_with_json() -> None:
    error = RapportError(
        "KIND_UNKNOWN",
        "no such kind",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        metadata={"kind": "nap"},
        violations=[Violation("events[0].touchpoint.kind", "a kind of the policy")],
    )
    result = RUNNER.invoke(refusing(error), ["say", "hello", "--json"])
    assert result.stdout == ""
    said = json.loads(result.stderr)["error"]
    assert (said["reason"], said["definite"]) == ("KIND_UNKNOWN", True)
    assert said["violations"][0]["field"] == "events[0].touchpoint.kind"


def test_an_error_for_people_names_reason_field_and_what_to_do() -> None:
    error = RapportError(
        "KIND_UNKNOWN",
        "no such kind",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        violations=[Violation("events[0].touchpoint.kind", "a kind of the policy")],
    )
    said = RUNNER.invoke(refusing(error), ["say", "hello"]).stderr
    for words in ("KIND_UNKNOWN", "events[0].touchpoint.kind", "rapport kinds"):
        assert words in said


def test_the_application_has_every_command_and_lets_others_add_to_its_groups() -> None:
    app = build(plugins=False)
    journals = group(app, "journal")

    def restored(call: Call) -> None:
        """Say so."""

    add(journals, "restored", restored)
    said = RUNNER.invoke(app, ["journal", "--help"]).stdout
    assert "restored" in said
    assert "create" in said
    assert group(app, "stream") is group(app, "stream")
    nouns = ("balance", "balances", "timeline", "tail", "kinds")
    for name in ("touch", "append", "correct", "void", "erase", *nouns):
        assert "--as" in RUNNER.invoke(app, [name, "--help"]).stdout
    for names in (["import", "csv"], ["tenant", "create"], ["tenant", "list"]):
        assert RUNNER.invoke(app, [*names, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["touch", "Ann", "bob", "call"],
        ["touch", "ann", "bob", "call", "--initiative", "SLEEPY"],
        ["touch", "ann", "bob", "call", "--at", "yesterday"],
        ["balance", "ann", "bob", "--on", "soon"],
        ["balance", "ann", "ann"],
        ["append", "no-such-file.jsonl"],
        ["erase", "ann"],
        ["import", "csv", "no-such-file.csv", "--mapping", "no-such-mapping.yaml"],
    ],
)
def test_what_cannot_be_understood_is_said_before_anything_is_sent(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAPPORT_LEDGER_TARGET", "127.0.0.1:1")
    result = RUNNER.invoke(build(plugins=False), arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr


def test_the_environment_overrides_what_up_wrote(tmp_path: Path) -> None:
    endpoints: dict[str, Any] = {"endpoints": {"ledger": "127.0.0.1:5", "projector": "127.0.0.1:6"}}
    (tmp_path / "stack.json").write_text(json.dumps(endpoints))
    assert find_targets(tmp_path, {}).projector == "127.0.0.1:6"
    env = {"RAPPORT_LEDGER_TARGET": "ledger:1"}
    assert find_targets(tmp_path, env).ledger == "ledger:1"
    assert find_targets(tmp_path, env).projector == "127.0.0.1:6"


def test_without_a_stack_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match="rapport up"):
        find_targets(tmp_path, {})


@pytest.mark.parametrize(
    ("mp", "text"),
    [(12345, "12.345"), (-5, "-0.005"), (0, "0.000"), (1_234_567_890, "1,234,567.890")],
)
def test_points_are_exact(mp: int, text: str) -> None:
    assert points(mp) == text


def test_known_at_is_a_position_or_a_time() -> None:
    assert known_at_of_option("17") == 17
    assert str(known_at_of_option("2026-01-31")) == "2026-01-31 00:00:00+00:00"


@pytest.mark.parametrize(
    "words", [["forecast", "a", "--severity", "9"], ["forecast"], ["timeline", "a", "--loud"]]
)
def test_what_the_parser_refuses_is_json_with_json(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rapport", *words, "--json"])
    with pytest.raises(SystemExit) as ended:
        run(build(plugins=False))
    written = capsys.readouterr()
    assert (ended.value.code, written.out) == (2, "")
    assert json.loads(written.err)["error"]["reason"] == "USAGE"


def test_an_unset_enum_has_a_name_in_json_too() -> None:
    document = full_document(timelines.Party(party="people/a"))
    assert document["side"] == "UNSPECIFIED"
