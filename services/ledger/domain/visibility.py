"""Who may read the personal texts of an event. Source: the domain contract, section 3."""

from collections.abc import Collection
from enum import Enum


class Visibility(Enum):
    """How far the texts of a touchpoint reach; other events are the tenant's."""

    PRIVATE = "private"
    PARTIES = "parties"
    TENANT = "tenant"


def needs_side(
    visibility: Visibility, *, principal: str, recorder: str, people: Collection[str]
) -> bool:
    """Whether the answer hangs on whether the principal is one of ours or outside."""
    return visibility is Visibility.PARTIES and principal != recorder and principal in people


def may_read(
    visibility: Visibility,
    *,
    principal: str,
    recorder: str,
    people: Collection[str],
    is_internal: bool,
) -> bool:
    """Whether the principal may read the texts of an event between `people`.

    `is_internal`: the principal is described as one of ours; only asked when `needs_side`. Somebody
    nobody described has no side, and reads no more than an outsider: notes are about customers too.
    """
    if visibility is Visibility.TENANT or principal == recorder:
        return True
    return visibility is Visibility.PARTIES and principal in people and is_internal
