"""What only incidents and recoveries carry. Source: the domain contract, section 3, Touchpoint."""

from collections.abc import Iterator
from typing import Final

from services.runtime.payloads.rules import REQUIRED, Fault, not_allowed, out_of_range
from services.runtime.policy import INCIDENT, RECOVERY

SEVERITY_MIN: Final = 1
SEVERITY_MAX: Final = 4


def faults_of_kind(
    kind: str,
    *,
    severity: int,
    attribution: int,
    category: str,
    resolves: str,
    recovery_step: int,
) -> Iterator[tuple[str, Fault]]:
    """Fields that the kind needs and lacks or has and does not take; 0 and empty are absent."""
    if kind == INCIDENT:
        if severity == 0:
            yield "severity", REQUIRED
        elif not SEVERITY_MIN <= severity <= SEVERITY_MAX:
            yield "severity", out_of_range(SEVERITY_MIN, SEVERITY_MAX)
    elif severity or attribution or category:
        given = {"severity": severity, "attribution": attribution, "category": category}
        for name, value in given.items():
            if value:
                yield name, not_allowed("belongs to kind incident alone")
    if kind == RECOVERY or resolves or recovery_step:
        for name, step in {"resolves": resolves, "recovery_step": recovery_step}.items():
            if kind == RECOVERY and not step:
                yield name, REQUIRED
            if kind != RECOVERY and step:
                yield name, not_allowed("belongs to kind recovery alone")
