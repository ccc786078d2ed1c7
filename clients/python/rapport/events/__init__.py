"""Events as they come over NATS, and the messages of stored facts (`rapport.events.v1`).

Names load on first use, as in `rapport`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rapport.events.delivered import DeliveredEvent as DeliveredEvent
    from rapport.events.subscriber import EventSubscriber as EventSubscriber

_HOME = {"DeliveredEvent": "delivered", "EventSubscriber": "subscriber"}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rapport.events' has no attribute {name!r}")
    value = getattr(import_module(f"rapport.events.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
