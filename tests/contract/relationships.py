"""Asking RelationshipService in tests."""

from typing import Any

from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

from tests.support.views import Running, caller, date_of

ME = "people/me"


def as_of(on: str | None = None, **more: Any) -> capital.AsOf:
    """A question; the day as YYYY-MM-DD."""
    message = capital.AsOf(**more)
    if on is not None:
        message.on.CopyFrom(date_of(on))
    return message


async def ask(projector: Running, method: str, request: Any, principal: str = ME) -> Any:
    """One call of a principal of the tenant."""
    return await getattr(projector.relationships, method)(request, metadata=caller(principal))


async def measured(
    projector: Running, relationship: str, on: str | None = None, **more: Any
) -> wire.Relationship:
    """Every measure of a relationship."""
    answer: wire.GetRelationshipResponse = await ask(
        projector,
        "GetRelationship",
        wire.GetRelationshipRequest(
            relationship=f"relationships/{relationship}", as_of=as_of(on, **more)
        ),
    )
    return answer.relationship
