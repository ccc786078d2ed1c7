"""Group meetings: one touchpoint for every pair of a host and a guest.

Source: the contract of LedgerService.RecordOccasion.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid5


def pairs(hosts: Sequence[str], guests: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every pair, ordered by host and then guest as given."""
    return ((host, guest) for host in hosts for guest in guests)


def pair_event_id(occasion_id: str, host: str, guest: str) -> str:
    """The id of a pair's touchpoint: the same for every repetition of the call.

    UUIDv5 in the namespace of the occasion; names of people hold no space.
    """
    return str(uuid5(UUID(occasion_id), f"{host} {guest}"))
