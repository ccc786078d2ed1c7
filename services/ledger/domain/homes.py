"""The home of an event: the one thing it belongs to, which counts its revision.

Source: the domain contract, section 2, `home`. A Voided has its target's home when that is known,
else its tenant's.
"""

from services.runtime.names import relationship_name


def relationship_home(initiator: str, counterpart: str) -> str:
    """Of a Touchpoint or Corrected: the relationship of its two people, in order."""
    return relationship_name(initiator, counterpart)


def link_home(a: str, b: str) -> str:
    """Of an IdentityLinked or IdentityUnlinked: the smaller id, in byte order."""
    return min(a, b)
