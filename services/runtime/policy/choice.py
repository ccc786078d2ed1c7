"""Which policy computes the balance of a day. Source: the domain contract, sections 3 and 4."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.runtime.policy.policy import Policy, default_policy


@dataclass(frozen=True, slots=True)
class AdoptedPolicy:
    """A policy and the journal position of its PolicyAdopted (0: the built-in one)."""

    policy: Policy
    position: int


def choose_policy(adopted: Iterable[AdoptedPolicy], day: int) -> Policy:
    """The policy in force on `day`, among those adopted and the built-in default@1.

    It is the one with the latest `effective_from` not after the day, of equal days the highest
    position; before the earliest `effective_from`, the earliest policy. The caller leaves out
    adoptions that were voided or not yet known at the time asked.
    """
    candidates = [AdoptedPolicy(default_policy(), 0), *adopted]
    in_force = [a for a in candidates if a.policy.effective_from <= day]
    if in_force:
        return max(in_force, key=lambda a: (a.policy.effective_from, a.position)).policy
    return min(candidates, key=lambda a: (a.policy.effective_from, -a.position)).policy
