"""Enumerated words of the domain that the policy gives numbers to.

Members equal and hash as their text, so a table keyed by text is looked up with either. An unset
value is `None` wherever a fact carries one. Source: the domain contract, section 3.
"""

from enum import StrEnum
from typing import Final

INCIDENT: Final = "incident"
RECOVERY: Final = "recovery"


class Initiative(StrEnum):
    """Why a touchpoint happened. Unset: the kind's default, which is PROACTIVE unless it says."""

    PROACTIVE = "PROACTIVE"
    RESPONSIVE = "RESPONSIVE"
    REACTIVE = "REACTIVE"
    AUTOMATED = "AUTOMATED"


class Audience(StrEnum):
    """How many a touchpoint was meant for. Unset: ONE."""

    ONE = "ONE"
    FEW = "FEW"
    MANY = "MANY"


class Attribution(StrEnum):
    """Whose doing an incident was. Unset: UNKNOWN."""

    OURS = "OURS"
    SHARED = "SHARED"
    EXTERNAL = "EXTERNAL"
    UNKNOWN = "UNKNOWN"


class RecoveryStep(StrEnum):
    """What a recovery did about its incident."""

    APOLOGY = "APOLOGY"
    FIX = "FIX"
    COMPENSATION = "COMPENSATION"
    FOLLOW_UP = "FOLLOW_UP"
