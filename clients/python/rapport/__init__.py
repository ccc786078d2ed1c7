"""The client of Rapport, the interaction ledger: append, ingest, query, subscribe.

Names load on first use: the generated code lives below this package, and a service that imports
only that pays for nothing else.

    from rapport import Rapport, touchpoint

    async with Rapport(ledger="127.0.0.1:7401", projector="127.0.0.1:7402",
                       tenant="default", principal="people/ann") as client:
        receipt = await client.append(touchpoint("people/ann", "people/bob", "call"))
        balance = await client.balance("people/ann", "people/bob",
                                       min_position=receipt.last_position)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rapport.building import corrected as corrected
    from rapport.building import not_relevant as not_relevant
    from rapport.building import personal as personal
    from rapport.building import snoozed as snoozed
    from rapport.building import touchpoint as touchpoint
    from rapport.building import voided as voided
    from rapport.client import Rapport as Rapport
    from rapport.errors import IncarnationChanged as IncarnationChanged
    from rapport.errors import RapportError as RapportError
    from rapport.errors import Violation as Violation
    from rapport.ids import derived_event_id as derived_event_id
    from rapport.ids import new_event_id as new_event_id
    from rapport.ids import person as person
    from rapport.ids import relationship as relationship
    from rapport.ingest import Verdict as Verdict
    from rapport.retry import RetryPolicy as RetryPolicy
    from rapport.subscription import Subscription as Subscription
    from rapport.times import as_of as as_of

_HOME = {
    "IncarnationChanged": "errors",
    "Rapport": "client",
    "RapportError": "errors",
    "RetryPolicy": "retry",
    "Subscription": "subscription",
    "Verdict": "ingest",
    "Violation": "errors",
    "as_of": "times",
    "corrected": "building",
    "derived_event_id": "ids",
    "new_event_id": "ids",
    "person": "ids",
    "not_relevant": "building",
    "personal": "building",
    "relationship": "ids",
    "snoozed": "building",
    "touchpoint": "building",
    "voided": "building",
}

__all__ = sorted(_HOME)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rapport' has no attribute {name!r}")
    value = getattr(import_module(f"rapport.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
