"""Policies: the document that gives every kind of touchpoint its weight. Pure."""

from services.runtime.policy.choice import AdoptedPolicy, choose_policy
from services.runtime.policy.errors import Fault, PolicyError
from services.runtime.policy.policy import Policy, default_policy
from services.runtime.policy.words import (
    INCIDENT,
    RECOVERY,
    Attribution,
    Audience,
    Initiative,
    RecoveryStep,
)

__all__ = [
    "INCIDENT",
    "RECOVERY",
    "AdoptedPolicy",
    "Attribution",
    "Audience",
    "Fault",
    "Initiative",
    "Policy",
    "PolicyError",
    "RecoveryStep",
    "choose_policy",
    "default_policy",
]
