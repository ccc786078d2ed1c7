"""What a ledger says of the streams that it publishes, and of those that it does not."""

from typing import cast

from prometheus_client import CollectorRegistry

from services.ledger.relay.relay import Relay, RelayLog
from services.runtime.publishing import PublisherState

GAUGES = ("rapport_relay_position", "rapport_relay_lag_positions", "rapport_relay_lag_seconds")


async def test_a_ledger_that_leads_no_more_does_not_go_on_saying_how_far_it_was_behind() -> None:
    registry, log = CollectorRegistry(), cast(RelayLog, None)
    relay = Relay(log, nats_url="", dsn="", registry=registry, on_health=lambda healthy: None)

    def told() -> list[float | None]:
        return [registry.get_sample_value(gauge, {"journal": "main"}) for gauge in GAUGES]

    relay._report("main", PublisherState.FOLLOWING, 7, 9)
    assert told()[:2] == [7, 2]
    relay._crashed("relay/main")
    assert told() == [None, None, None]
    relay._crashed("relay/main")
    relay._report("main", PublisherState.FOLLOWING, 9, 9)
    assert told()[:2] == [9, 0]
