"""How much is measured."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes of one run. `growth_events` is what the journal of the growth rows holds in the end."""

    repeats: int
    unary_calls: int
    ingest_events: int
    relay_messages: int
    commits: int
    visible_calls: int
    questions: int
    rebuild_events: int
    growth_events: int
    memory_events: int
    # Relationships x entries of a small and a large tenant.
    wide_sizes: tuple[str, str]
    say: Callable[[str], None]


def full(say: Callable[[str], None], growth_events: int) -> Settings:
    """The sizes of what is published."""
    return Settings(
        repeats=5,
        unary_calls=10_000,
        ingest_events=50_000,
        relay_messages=100_000,
        commits=500,
        visible_calls=2_000,
        questions=500,
        rebuild_events=100_000,
        growth_events=growth_events,
        memory_events=100_000,
        wide_sizes=("1000x20000", "100000x2000000"),
        say=say,
    )


def quick(say: Callable[[str], None], growth_events: int) -> Settings:
    """Small sizes: whether it works, and roughly where it stands."""
    return Settings(
        repeats=5,
        unary_calls=2_000,
        ingest_events=10_000,
        relay_messages=20_000,
        commits=100,
        visible_calls=300,
        questions=100,
        rebuild_events=20_000,
        growth_events=min(growth_events, 20_000),
        memory_events=10_000,
        wide_sizes=("50x1000", "500x10000"),
        say=say,
    )
