"""Both services called by clients that are not ours: buf curl by reflection, Node by the protos."""

import json
import os
import shutil
import subprocess
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.running import ROOT, TIMEOUT_S, Books

BUF = ROOT / "scripts" / "buf.sh"
GRPC_JS = ROOT / "node_modules" / "@grpc" / "grpc-js"


@pytest.fixture(scope="module")
def buf() -> None:
    """Skips where npm has not brought buf."""
    said = subprocess.run([BUF, "--version"], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        pytest.skip(f"{said.stderr.strip()} (`make check` installs it)")


@pytest.fixture(scope="module")
def node() -> str:
    """The program; skips where it or the gRPC client from npm is not there."""
    found = shutil.which("node")
    if found is None or not GRPC_JS.exists():
        pytest.skip("no node, or no @grpc/grpc-js in node_modules (`make check` installs it)")
    return found


@pytest.mark.usefixtures("buf")
def test_buf_curl_finds_both_services_by_reflection_and_reads_what_it_wrote(books: Books) -> None:
    event = {
        "eventId": str(uuid4()),
        "occurredAt": "2026-03-01T09:00:00Z",
        "touchpoint": {
            "initiator": "people/ann",
            "counterpart": "people/bob",
            "kind": "meeting.in_person",
            "note": {"text": "by reflection"},
        },
    }
    done = _curl(books, "ledger", "LedgerService/AppendEvents", {"events": [event]})
    assert (done["journal"], done["lastPosition"]) == (books.name, "1")
    again = _curl(books, "ledger", "LedgerService/AppendEvents", {"events": [event]})
    assert again["events"][0]["replayed"] is True
    stored = _curl(books, "ledger", "LedgerService/GetEvent", {"eventId": event["eventId"]})
    assert stored["event"]["touchpoint"]["note"] == {"text": "by reflection"}

    question = {
        "relationship": "relationships/bob~ann",
        "asOf": {"minPosition": "1", "on": {"year": 2026, "month": 3, "day": 1}},
    }
    balance = _curl(books, "projector", "CapitalService/GetBalance", question)["balance"]
    assert balance["relationship"] == "relationships/ann~bob"
    assert (balance["knowMp"], balance["careMp"]) == ("8000", "8000")
    lines = _curl(books, "projector", "TimelineService/ListTimeline", {"parent": "people/ann"})
    assert [line["eventId"] for line in lines["lines"]] == [event["eventId"]]


@pytest.mark.usefixtures("buf")
def test_buf_curl_shows_why_a_call_is_refused(books: Books) -> None:
    events = [{"eventId": str(uuid4()), "touchpoint": {"initiator": "people/ann", "kind": "call"}}]
    refused = _curl(books, "ledger", "LedgerService/AppendEvents", {"events": events}, refused=True)
    assert refused["code"] == "invalid_argument"
    assert "events[0].touchpoint.counterpart" in refused["message"]
    types = {detail["type"] for detail in refused["details"]}
    assert types >= {"google.rpc.ErrorInfo", "google.rpc.BadRequest"}


def test_the_node_example_appends_and_reads_with_the_protos_alone(books: Books, node: str) -> None:
    where = {"RAPPORT_DIR": str(books.stack.directory), "RAPPORT_TENANT": books.name}
    said = subprocess.run(
        [node, str(ROOT / "examples" / "record_and_ask.mjs")],
        capture_output=True,
        text=True,
        env={**os.environ, **where},
        timeout=TIMEOUT_S,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    balance, refusal = map(json.loads, said.stdout.splitlines())
    assert (balance["position"], balance["relationship"]) == (1, "relationships/ann~dana")
    assert (balance["know_mp"], balance["care_mp"], balance["buffer_mp"]) == (4000, 4000, 5000)
    assert refusal["code"] == "INVALID_ARGUMENT"
    assert "events[0].event_id" in refusal["details"]


def _curl(books: Books, server: str, method: str, request: Any, *, refused: bool = False) -> Any:
    """One call of `buf curl`, which asks the server itself for the protos; what it printed."""
    target = books.stack.state.endpoints[server]
    headers = (f"x-rapport-tenant: {books.name}", "x-rapport-principal: people/ann")
    said = subprocess.run(
        [
            *(str(BUF), "curl", "--protocol", "grpc", "--http2-prior-knowledge"),
            *(part for header in headers for part in ("--header", header)),
            *("--data", json.dumps(request), f"http://{target}/rapport.v1.{method}"),
        ],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (said.returncode != 0) is refused, said.stderr
    return json.loads(said.stderr if refused else said.stdout)
