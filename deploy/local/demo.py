"""The demo tenant: loaded once, and one relationship of it shown.

The data set (`demo.yaml`) counts its days from the day of loading, so that its balances are alive;
its event ids are derived from names, so that loading it twice can never double it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any, Final
from uuid import UUID, uuid5

import yaml
from rapport import Rapport
from rapport.cli.balance_commands import receipt_view
from rapport.cli.command import console
from rapport.cli.event_json import parse_event
from rapport.cli.timeline_commands import timeline_view
from rapport.ids import relationship
from rapport.v1 import ledger_service_pb2 as ledger
from rapport.v1.timeline_service_pb2 import ListTimelineRequest
from rich.console import RenderableType

from deploy.local.state import StackState
from services.runtime.policy import default_policy

TENANT: Final = "demo"
PRINCIPAL: Final = "people/mara"
SHOWN: Final = ("people/dana", "people/mara")
SHOWN_LINES: Final = 8

_NAMESPACE: Final = UUID("6f1c5b1e-6f0e-5d0c-9b57-5d5a3a2a9d10")
# Fields whose value may name another event of the data set.
_REFERENCES: Final = ("target", "replaces", "ends", "resolves", "fulfils", "in_reply_to")
# Fields that are days, counted from the day of loading.
_DAYS: Final = ("due_on", "expect_on")


async def show(state: StackState, say: Callable[[str], None]) -> None:
    """Load the demo data if its tenant is empty, then print one relationship's books."""
    endpoints = state.endpoints["ledger"], state.endpoints["projector"]
    async with Rapport(*endpoints, principal="services/demo") as operator:
        await operator.create_tenant(TENANT)
    async with Rapport(*endpoints, tenant=TENANT, principal=PRINCIPAL) as client:
        position = await _load(client, say)
        a, b = SHOWN
        receipt = await client.explain(a, b, min_position=position)
        page = await client.timeline_page(
            ListTimelineRequest(parent=relationship(a, b), page_size=SHOWN_LINES)
        )
        lines = list(page.lines)
    say(f"\nTenant `{TENANT}`: what {b} did for {a}, and what is left of it today (in points)\n")
    say(_rendered(receipt_view(receipt)))
    say(f"\nThe last {len(lines)} of their touchpoints\n")
    say(_rendered(timeline_view(lines)))


async def _load(client: Rapport, say: Callable[[str], None]) -> int:
    """Append the data set unless the tenant has events; the position to wait for."""
    request = ledger.ReadEventsRequest(limit=1)
    async for _ in client.read(request):
        return 0
    events = demo_events(datetime.now(UTC))
    answer = await client.append(events)
    say(f"Loaded {len(events)} events into tenant `{TENANT}`.")
    return answer.last_position


def demo_events(now: datetime) -> list[ledger.NewEvent]:
    """The data set as if loaded at `now`, in the order in which it is recorded."""
    document = yaml.safe_load(files("deploy.local").joinpath("demo.yaml").read_text("utf-8"))
    source = document["source"]
    names = {event["id"] for event in document["events"] if "id" in event}
    return [
        parse_event(_event(event, number, source, names, now))
        for number, event in enumerate(document["events"], start=1)
    ]


def _event(
    row: Mapping[str, Any], number: int, source: str, names: set[str], now: datetime
) -> dict[str, Any]:
    """One row in the form of `rapport append`."""

    def id_of(name: str) -> str:
        return str(uuid5(_NAMESPACE, f"{source}/{name}"))

    days, at = str(row["at"]).split()
    event = {key: value for key, value in row.items() if key not in {"at", "id"}}
    event["event_id"] = id_of(row.get("id", f"line {number}"))

    def day_of(offset: int) -> date:
        return now.date() + timedelta(days=offset)

    happened = datetime.combine(day_of(int(days)), time.fromisoformat(at), UTC)
    event["occurred_at"] = happened.isoformat()
    for field in _DAYS:
        if field in event:
            event[field] = day_of(event[field]).isoformat()
    if "in_days" in event:
        comes = day_of(event.pop("in_days"))
        event |= {"month": comes.month, "day": comes.day}
    if "changes" in event:
        event["policy_json"] = _policy(
            event.pop("policy"), event.pop("version"), event.pop("changes")
        )
    if "occasion_id" in event:
        event["occasion_id"] = id_of(event["occasion_id"])
    for field in _REFERENCES:
        if event.get(field) in names:
            event[field] = id_of(event[field])
    if "facts_used" in event:
        event["facts_used"] = [id_of(name) for name in event["facts_used"]]
    return event


def _policy(name: str, version: int, changes: Mapping[str, Any]) -> str:
    """The default policy under another name, with some of its numbers changed, as JSON."""
    document = json.loads(default_policy().canonical_json)
    document |= {"policy": name, "version": version}
    return json.dumps(_changed(document, changes), sort_keys=True)


def _changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the changes in place of what it said, branch by branch."""
    changed = dict(document)
    for key, value in changes.items():
        changed[key] = _changed(document[key], value) if isinstance(value, Mapping) else value
    return changed


def _rendered(view: RenderableType) -> str:
    screen = console()
    with screen.capture() as captured:
        screen.print(view)
    return captured.get().rstrip()
