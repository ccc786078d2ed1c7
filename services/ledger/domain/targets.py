"""Events that name an earlier one: may they? Source: the domain contract, section 3.

What arrives before its target is taken, and has no effect if it turns out to be wrong; what names a
stored event that it cannot mean is refused.
"""

from dataclasses import dataclass
from typing import Final

from services.ledger.domain.events import SUBJECT_ERASED
from services.runtime.errors import Reason

_PACKAGE: Final = "rapport.events.v1."
TOUCHPOINT: Final = _PACKAGE + "Touchpoint"
VOIDED: Final = _PACKAGE + "Voided"
CORRECTED: Final = _PACKAGE + "Corrected"
AFFILIATION_STARTED: Final = _PACKAGE + "AffiliationStarted"
AFFILIATION_ENDED: Final = _PACKAGE + "AffiliationEnded"
IDENTITY_LINKED: Final = _PACKAGE + "IdentityLinked"
IDENTITY_UNLINKED: Final = _PACKAGE + "IdentityUnlinked"
PARTY_DESCRIBED: Final = _PACKAGE + "PartyDescribed"
POLICY_ADOPTED: Final = _PACKAGE + "PolicyAdopted"

# What each type that ends something ends.
_STARTS: Final = {AFFILIATION_ENDED: AFFILIATION_STARTED, IDENTITY_UNLINKED: IDENTITY_LINKED}


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of an event that another names.

    `parties` are all it is between, `people` those whose keys seal a text about it.
    """

    type: str
    home: str
    parties: frozenset[str]
    people: tuple[str, ...]


def refusal(event_type: str, parties: frozenset[str], target: Target) -> Reason | None:
    """Why an event of a type, between `parties`, cannot name this target; None when it can."""
    if event_type == VOIDED:
        final = target.type in (VOIDED, SUBJECT_ERASED)
        return Reason.TARGET_NOT_VOIDABLE if final else None
    if event_type == CORRECTED:
        same_people = target.type == TOUCHPOINT and target.parties == parties
        return None if same_people else Reason.TARGET_NOT_CORRECTABLE
    same_start = target.type == _STARTS[event_type] and target.parties == parties
    return None if same_start else Reason.TARGET_NOT_ENDABLE
