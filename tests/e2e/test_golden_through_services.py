"""The golden vectors through the real services: appended over gRPC, asked over gRPC.

Each case is a tenant. After every event the position is kept, so that "only the first `asked_after`
events are known" can be asked for at the end as `known_at`; the state at the end is asked for
without it too, which buckets answer where they may.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from rapport import Rapport, RapportError
from rapport.cli.event_json import parse_event
from rapport.events.v1 import touchpoint_pb2
from rapport.times import day_of

from deploy.local.nats import NatsServer
from tests.golden.vectors import NAMES, Case, cases, document
from tests.support.both import both_on
from tests.support.databases import Database

REFUSALS = {"TARGET_NOT_VOIDABLE", "TARGET_NOT_CORRECTABLE"}


async def append_all(client: Rapport, case: Case) -> list[int]:
    """Append every event; the journal's position after each, a refused one leaving it as it was."""
    positions = [0]
    for event in case.events:
        try:
            answer = await client.append([parse_event(dict(event))])
            positions.append(answer.last_position)
        except RapportError as refusal:
            if refusal.reason not in REFUSALS:
                raise
            positions.append(positions[-1])
    return positions


async def check(client: Rapport, expected: Mapping[str, Any], known_at: int | None) -> None:
    """One expectation; `known_at` None asks for what is known now."""
    a, b = expected["relationship"].removeprefix("relationships/").split("~")
    on = date.fromisoformat(expected["on"])
    receipt = await client.explain(a, b, on=on, known_at=known_at)
    answer = await client.balance(a, b, on=on, known_at=known_at)
    wanted = (expected["know_mp"], expected["care_mp"])
    for balance in (answer.balance, receipt.balance):
        assert (balance.know_mp, balance.care_mp) == wanted, expected
    assert sum(line.know_left_mp for line in receipt.lines) == wanted[0]
    assert sum(line.care_left_mp for line in receipt.lines) == wanted[1]
    if "know_exact" in expected:
        assert receipt.know_exact == expected["know_exact"]
        assert receipt.care_exact == expected["care_exact"]


async def check_forecast(
    client: Rapport, expected: Mapping[str, Any], known_at: int | None
) -> None:
    """One expectation of what an incident would do."""
    a, b = expected["relationship"].removeprefix("relationships/").split("~")
    answer = await client.forecast(
        a,
        b,
        expected["severity"],
        attribution=touchpoint_pb2.Attribution.Value(f"ATTRIBUTION_{expected['attribution']}"),
        on=date.fromisoformat(expected["on"]),
        known_at=known_at,
    )
    told = answer.forecast
    through = day_of(told.survives_through)
    assert (None if through is None else through.isoformat()) == expected.get("survives_through")
    assert told.short_by_mp == expected.get("short_by_mp", 0)
    assert told.beyond_horizon == expected.get("beyond_horizon", False)


@pytest.mark.parametrize("name", NAMES)
async def test_every_golden_balance_and_forecast_comes_out_of_the_services(
    name: str, database: Database, private_nats: NatsServer
) -> None:
    chosen = [case for case in cases() if case.name in _case_names(name)]
    asked = 0
    async with both_on(database, private_nats.url) as services:
        for case in chosen:
            await services.create_tenant(case.name)
            async with services.client(case.name) as client:
                positions = await append_all(client, case)
                person = next(e["initiator"] for e in case.events if "initiator" in e)
                await client.balance(person, "people/nobody", min_position=positions[-1])
                for expected in case.expected:
                    ask = check if "know_mp" in expected else check_forecast
                    after = expected.get("asked_after", len(case.events))
                    await ask(client, expected, positions[after])
                    if positions[after] == positions[-1]:
                        await ask(client, expected, None)
                    asked += 1
    assert asked > 0


def _case_names(name: str) -> set[str]:
    content = document(name)
    return {case["name"] for case in content["cases"]} if "cases" in content else {name}
