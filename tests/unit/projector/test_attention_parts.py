"""What a replica says of the attention it leads."""

from typing import Any, cast

import asyncpg
from prometheus_client import CollectorRegistry

from services.projector.attention.journal import AttentionParts
from services.projector.metrics import ProjectorMetrics
from services.runtime.publishing import PublisherState


def test_who_leads_no_more_does_not_go_on_saying_how_far_it_was_behind() -> None:
    registry = CollectorRegistry()
    healthy: list[bool] = []
    nothing: Any = None
    parts = AttentionParts(
        pool=cast(asyncpg.Pool, None),
        dsn="",
        ledger=nothing,
        metrics=ProjectorMetrics(registry),
        clock=nothing,
        on_health=healthy.append,
        states={},
    )

    def told() -> tuple[float | None, float | None]:
        of_journal = {"journal": "main"}
        state = {**of_journal, "state": PublisherState.DIVERGED.value}
        return (
            registry.get_sample_value("rapport_attention_lag_changes", of_journal),
            registry.get_sample_value("rapport_attention_stream_state", state),
        )

    parts.tell("main", PublisherState.DIVERGED, 3, 10)
    assert told() == (7, 1)
    parts.forget("main")
    assert told() == (None, None)
    parts.forget("main")
    parts.tell("main", PublisherState.FOLLOWING, 10, 10)
    assert told() == (0, None)
    assert healthy == [False, True, True, True]
