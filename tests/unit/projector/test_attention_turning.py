"""Whose day stands still when one tenant's cannot be turned."""

from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.projector.attention.turning import AttentionTurning
from services.projector.metrics import ProjectorMetrics
from services.projector.projections import attention, checkpoint
from services.projector.projections.checkpoint import Checkpoint
from services.runtime.clock import US_PER_DAY, FixedClock

DAY = 9_648


class Pool:
    """Gives connections that nobody uses."""

    def acquire(self) -> "Pool":
        return self

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch, registry: CollectorRegistry) -> Any:
    """Turns tenants a and b, of whom a meets an error; the turning, and whose days were turned."""

    async def behind(*_: Any) -> list[tuple[str, int]]:
        return [("a", DAY - 1), ("b", DAY - 1)]

    async def read(*_: Any) -> Checkpoint:
        return Checkpoint("incarnation", 9, DAY * US_PER_DAY, 0)

    async def settled(*_: Any) -> bool:
        return True

    monkeypatch.setattr(attention, "behind", behind)
    monkeypatch.setattr(checkpoint, "read", read)
    pool: Any = Pool()
    clock = FixedClock(DAY * US_PER_DAY + US_PER_DAY // 2)
    made = AttentionTurning(
        "main", pool=pool, settled=settled, clock=clock, metrics=ProjectorMetrics(registry)
    )
    done: list[str] = []

    def failing_with(error: Exception) -> None:
        async def turn(tenant: str, *_: Any) -> bool:
            if tenant == "a":
                raise error
            done.append(tenant)
            return True

        monkeypatch.setattr(made, "_turn", turn)

    return SimpleNamespace(by=made, done=done, failing_with=failing_with)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a fault of the code"),
        asyncpg.NumericValueOutOfRangeError("an item at stake with more than a number holds"),
        asyncpg.exceptions.UntranslatableCharacterError("a text that no column takes"),
    ],
)
async def test_a_day_that_cannot_be_written_keeps_nobody_else_from_theirs(
    turned: Any, registry: CollectorRegistry, error: Exception
) -> None:
    turned.failing_with(error)
    assert await turned.by.turn_next()
    assert turned.done == ["b"]
    assert registry.get_sample_value("rapport_attention_failures_total", {"journal": "main"}) == 1
    await turned.by.turn_next()
    assert turned.done == ["b", "b"], "the other one is left alone for a minute"


@pytest.mark.parametrize("error", [ConnectionError(), asyncpg.LockNotAvailableError("taken")])
async def test_what_passes_is_tried_again_for_all(turned: Any, error: Exception) -> None:
    turned.failing_with(error)
    with pytest.raises(type(error)):
        await turned.by.turn_next()
    assert turned.done == []
