"""Lint: what is wrong with a policy document, and what is only unwise.

Fatal is what the rules of the document refuse and a calibration out of bounds: a policy under
which an incident costs next to nothing, or everything, computes numbers that say nothing. The
calibration is asked of a policy that is to be adopted; one that was adopted stays in force
whatever a later lint thinks of it, so nothing that reads adopted policies may ask for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from typing import Final

from services.runtime.policy.document import SENTIMENTS, SEVERITIES
from services.runtime.policy.errors import Fault, PolicyError, path_of
from services.runtime.policy.policy import Policy, default_policy
from services.runtime.policy.words import INCIDENT, RECOVERY, Attribution, Audience

# An OURS incident of this severity costs so many times the median positive kind.
CALIBRATED_SEVERITY: Final = 2
COST_RATIO_MIN: Final = 2
COST_RATIO_MAX: Final = 8
# Fewer than this many people can be told apart by who knows them.
GROUP_MIN: Final = 5
_PER_MILLE: Final = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change: where, what, and whether the policy cannot be adopted as it is."""

    path: str
    message: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Lint:
    """What a document got: fatal findings first, then in the order of the document's sections.

    `policy` is None when it could not be read as one; then all findings are fatal.
    """

    findings: tuple[Finding, ...]
    policy: Policy | None

    @property
    def adoptable(self) -> bool:
        """Whether nothing fatal was found."""
        return not any(finding.fatal for finding in self.findings)


def lint(text: str) -> Lint:
    """Findings about the policy written as JSON or YAML in `text`. Never raises PolicyError."""
    try:
        policy = Policy.parse(text)
    except PolicyError as error:
        return Lint(tuple(Finding(*fault, fatal=True) for fault in error.faults), None)
    return Lint(lint_policy(policy), policy)


def lint_policy(policy: Policy) -> tuple[Finding, ...]:
    """Findings about a policy that could be read, fatal ones first."""
    fatal = [Finding(*fault, fatal=True) for fault in calibration_faults(policy)]
    return (*fatal, *(Finding(*fault, fatal=False) for fault in _advice(policy)))


def calibration_faults(policy: Policy) -> list[Fault]:
    """Why a policy does not lint: the cost of an incident against what kindness earns.

    An OURS incident of severity 2, |know| + |care|, costs 2 to 8 times (bounds included) the median
    know + care of the positive kinds: those whose know + care is above 0.
    """
    usual = _median(
        kind.know + kind.care
        for name, kind in policy.kinds.items()
        if name not in (INCIDENT, RECOVERY) and kind.know + kind.care > 0
    )
    if usual is None:
        return [Fault("kinds", "no kind adds anything: know + care is above 0 for none")]
    know, care = policy.incident.severity[CALIBRATED_SEVERITY]
    ours = policy.incident.attribution[Attribution.OURS]
    cost = Fraction((abs(know) + abs(care)) * ours, _PER_MILLE)
    if COST_RATIO_MIN * usual <= cost <= COST_RATIO_MAX * usual:
        return []
    return [
        Fault(
            path_of(["incident", "severity", str(CALIBRATED_SEVERITY)]),
            f"an OURS incident of severity {CALIBRATED_SEVERITY} costs {_mp(cost)}, which must be "
            f"{COST_RATIO_MIN} to {COST_RATIO_MAX} times the median positive kind "
            f"({_mp(usual)}): {_mp(COST_RATIO_MIN * usual)} to {_mp(COST_RATIO_MAX * usual)}",
        )
    ]


def _mp(value: Fraction) -> str:
    return f"{float(value):.15g} mp"


def _median(values: Iterable[int]) -> Fraction | None:
    ordered = sorted(values)
    if not ordered:
        return None
    upper = len(ordered) // 2
    lower = (len(ordered) - 1) // 2
    return Fraction(ordered[lower] + ordered[upper], 2)


def _advice(policy: Policy) -> Iterator[Fault]:
    return chain(
        _about_its_name(policy),
        _about_kinds(policy),
        _about_factors(policy),
        _about_saturation(policy),
        _about_incidents(policy),
        _about_channels_and_tiers(policy),
        _about_groups(policy),
    )


def _about_its_name(policy: Policy) -> Iterator[Fault]:
    built_in = default_policy()
    if (policy.name, policy.version) == (built_in.name, built_in.version) and policy != built_in:
        yield Fault("version", "default@1 is the built-in policy: give another version or name")


def _about_kinds(policy: Policy) -> Iterator[Fault]:
    missing = sorted(default_policy().kinds.keys() - policy.kinds.keys())
    if missing:
        yield Fault("kinds", f"touchpoints of these kinds would weigh nothing: {_some(missing)}")
    for name, kind in policy.kinds.items():
        if name in (INCIDENT, RECOVERY):
            continue
        if kind.structural and (kind.know or kind.care):
            path = path_of(["kinds", name, "structural"])
            yield Fault(path, "a structural kind is no contact, yet this one is worth something")
        if kind.effort and not kind.care:
            path = path_of(["kinds", name, "effort"])
            yield Fault(path, "effort counts towards care, of which this kind has none")
        if kind.little and not kind.saturate and name.startswith("social."):
            path = path_of(["kinds", name, "saturate"])
            yield Fault(path, "without saturation, spam buys capital")


def _about_factors(policy: Policy) -> Iterator[Fault]:
    factors = policy.factors
    if _falls([per_mille for _, per_mille in factors.effort_care_by_live_minutes]):
        yield Fault("factors.effort_care_by_live_minutes", "more time together is worth less")
    if _falls([factors.sentiment[sentiment] for sentiment in SENTIMENTS]):
        yield Fault("factors.sentiment", "a better feeling is worth less than a worse one")
    if factors.audience[Audience.MANY]:
        yield Fault("factors.audience.MANY", "broadcasts are worth something")
    if factors.audience[Audience.FEW] > factors.audience[Audience.ONE]:
        yield Fault("factors.audience.FEW", "a few are worth more than one person alone")
    if factors.automated >= _PER_MILLE // 2:
        yield Fault("factors.automated", "what a machine sends is worth half a person's, or more")


def _about_saturation(policy: Policy) -> Iterator[Fault]:
    used = {kind.saturate for kind in policy.kinds.values()}
    for name, group in policy.saturation.items():
        if _falls(group.marginal[::-1]):
            path = path_of(["saturation", name, "marginal"])
            yield Fault(path, "a later touch of the week is worth more than an earlier one")
        if name not in used:
            yield Fault(path_of(["saturation", name]), "no kind is in this group")


def _about_incidents(policy: Policy) -> Iterator[Fault]:
    incident = policy.incident
    costs = []
    for severity in SEVERITIES:
        know, care = incident.severity[severity]
        costs.append(abs(know) + abs(care))
        if know > 0 or care > 0:
            yield Fault(path_of(["incident", "severity", str(severity)]), "an incident adds")
    if _falls(costs):
        yield Fault("incident.severity", "a higher severity costs less than a lower one")
    if sum(incident.recovery.values()) > _PER_MILLE:
        yield Fault("incident.recovery", "making good gives back more than the incident took")
    if _falls(incident.timeliness[::-1]):
        yield Fault("incident.timeliness", "a later answer is worth more than an earlier one")
    if incident.repeat.refund > _PER_MILLE:
        yield Fault("incident.repeat.refund", "making good the same again gives back more")


def _about_channels_and_tiers(policy: Policy) -> Iterator[Fault]:
    # The contract's SLAs name `phone` and others of the ladder; a misspelt one waits for nothing.
    unknown = sorted(policy.incident.sla_hours.keys() - policy.channels.keys() - {"default"})
    if unknown:
        yield Fault("incident.sla_hours", f"no such channels on the ladder: {_some(unknown)}")
    if not policy.tiers:
        yield Fault("tiers", "without tiers nobody is ever overdue, and no week is kept")


def _about_groups(policy: Policy) -> Iterator[Fault]:
    measures = policy.measures
    if measures.builders.enabled and measures.builders.min_group < GROUP_MIN:
        yield Fault("measures.builders.min_group", f"fewer than {GROUP_MIN} people know each other")
    if measures.parity.min_group < GROUP_MIN:
        yield Fault("measures.parity.min_group", f"fewer than {GROUP_MIN} people know each other")
    low, high = measures.parity.band
    if not low <= _PER_MILLE <= high:
        yield Fault("measures.parity.band", "equal sides would be flagged")


def _falls(values: Sequence[int]) -> bool:
    return any(later < earlier for earlier, later in pairwise(values))


def _some(names: Sequence[str], at_most: int = 8) -> str:
    shown = ", ".join(names[:at_most])
    return shown if len(names) <= at_most else f"{shown} and {len(names) - at_most} more"
