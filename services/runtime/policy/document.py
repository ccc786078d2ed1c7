"""The policy document, section by section, with the limits of every number in it.

Units: mp (milli-points), days, minutes, hours, per mille. Unknown keys are refused, every section
must be there, and numbers are whole: 1000.0 is refused as 1000.5 is. Source: the domain contract,
section 4.
"""

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.runtime.names import KIND_BYTES_MAX
from services.runtime.policy.words import Attribution, Audience, Initiative, RecoveryStep

KINDS_MAX: Final = 500
HALF_LIFE_DAYS_MAX: Final = 3650
MP_MAX: Final = 10**9
PER_MILLE_MAX: Final = 10**6
DAYS_MAX: Final = 36_500
COUNT_MAX: Final = 10_000
MINUTES_MAX: Final = 10_080
CURVE_POINTS_MAX: Final = 32
MARGINALS_MAX: Final = 100
NAMES_MAX: Final = 100
SENTIMENTS: Final = (-2, -1, 0, 1, 2)
SEVERITIES: Final = (1, 2, 3, 4)


def _whole_number_keys(value: object) -> object:
    """JSON has text keys only: `"-2"` stands for -2, any other spelling of it for nothing."""
    if not isinstance(value, dict):
        return value
    numbers = {str(number): number for number in (*SENTIMENTS, *SEVERITIES)}
    return {numbers.get(key, key): item for key, item in value.items()}


def _every_key_of(keys: Collection[Any]) -> AfterValidator:
    def check(value: dict[Any, Any]) -> dict[Any, Any]:
        missing = [str(key) for key in keys if key not in value]
        if missing:
            raise ValueError(f"missing: {', '.join(missing)}")
        return value

    return AfterValidator(check)


Mp = Annotated[int, Field(ge=-MP_MAX, le=MP_MAX)]
GainMp = Annotated[int, Field(ge=0, le=MP_MAX)]
PerMille = Annotated[int, Field(ge=0, le=PER_MILLE_MAX)]
SignedPerMille = Annotated[int, Field(ge=-PER_MILLE_MAX, le=PER_MILLE_MAX)]
Days = Annotated[int, Field(ge=1, le=DAYS_MAX)]
HalfLifeDays = Annotated[int, Field(ge=1, le=HALF_LIFE_DAYS_MAX)]
Minutes = Annotated[int, Field(ge=0, le=MINUTES_MAX)]
Hours = Annotated[int, Field(ge=0, le=24 * DAYS_MAX)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,64}$")]
# The pattern of services.runtime.names (here `$` is the very end: a Rust expression).
KindName = Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=KIND_BYTES_MAX)]
_Initiative = Annotated[Initiative, Field(strict=False)]
_Audience = Annotated[Audience, Field(strict=False)]
_Attribution = Annotated[Attribution, Field(strict=False)]
_RecoveryStep = Annotated[RecoveryStep, Field(strict=False)]
Sentiment = Annotated[int, Field(ge=-2, le=2)]
Severity = Annotated[int, Field(ge=1, le=4)]


class Section(BaseModel):
    """A part of the document: read-only, nothing beside what it names, no number guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Kind(Section):
    """What a touchpoint of one kind weighs. Incident and recovery have no know and care here."""

    know: Mp = 0
    care: Mp = 0
    half_life_days: HalfLifeDays
    initiative: _Initiative = Initiative.PROACTIVE
    little: bool = False
    structural: bool = False
    effort: bool = False
    # The saturation group, if any.
    saturate: str | None = None


class Factors(Section):
    """Per-mille factors of rules 2 to 4, and what a minute of preparation is worth."""

    # Points (live minutes, per mille), from 0 minutes on, strictly rising in minutes.
    effort_care_by_live_minutes: Annotated[
        tuple[tuple[Minutes, PerMille], ...], Field(min_length=1, max_length=CURVE_POINTS_MAX)
    ]
    know_mp_per_prep_minute: GainMp
    prep_minutes_cap: Minutes
    sentiment: Annotated[
        dict[Sentiment, SignedPerMille],
        BeforeValidator(_whole_number_keys),
        _every_key_of(SENTIMENTS),
    ]
    audience: Annotated[dict[_Audience, PerMille], _every_key_of(Audience)]
    automated: PerMille


class SaturationGroup(Section):
    """How repeated touches within a cell wear off: per mille of the 1st, 2nd ..., then nothing."""

    per: Literal["iso_week"]
    marginal: Annotated[tuple[PerMille, ...], Field(min_length=1, max_length=MARGINALS_MAX)]


class Repeat(Section):
    """A refund when the same happened before: within how many days, and per mille of it."""

    window_days: Days
    refund: PerMille


class Incident(Section):
    """Rules 1 and 6: what an incident costs and what making it good gives back."""

    # (know, care) in mp by severity.
    severity: Annotated[
        dict[Severity, tuple[Mp, Mp]],
        BeforeValidator(_whole_number_keys),
        _every_key_of(SEVERITIES),
    ]
    attribution: Annotated[dict[_Attribution, PerMille], _every_key_of(Attribution)]
    recovery: Annotated[dict[_RecoveryStep, PerMille], _every_key_of(RecoveryStep)]
    # Per mille within the SLA, within twice the SLA, later.
    timeliness: tuple[PerMille, PerMille, PerMille]
    # Hours by channel; `default` for every other one.
    sla_hours: Annotated[
        dict[Name, Hours], _every_key_of(("default",)), Field(max_length=NAMES_MAX)
    ]
    repeat: Repeat


class Buffer(Section):
    """How much of KNOW counts towards the buffer: per mille, of at most `know_cap` mp."""

    know_share: PerMille
    know_cap: GainMp


class Tier(Section):
    """How often a relationship of a tier wants contact."""

    ideal_days: Days
    max_days: Days


class Acquaintance(Section):
    """When a contact becomes an acquaintance."""

    contact_days: Count
    over_days: Days


class Stage(Acquaintance):
    """When a relationship reaches a stage."""

    depth: Annotated[int, Field(ge=0, le=3)]
    buffer: Mp


class Stages(Section):
    """The stages beyond a first contact."""

    acquaintance: Acquaintance
    engaged: Stage
    partner: Stage


class Account(Section):
    """From which share in one pair an account hangs on a single thread."""

    single_threaded_share: PerMille


class Builders(Section):
    """Whether and how relationship builders are told."""

    enabled: bool
    min_group: Count
    window_days: Days
    min_contact_days: Count
    survive_days: Days
    min_incidents: Count
    pleaser_share: PerMille


class Parity(Section):
    """Between which ratios, per mille, the internal and the external side are alike."""

    band: tuple[PerMille, PerMille]
    min_group: Count


class Reconnect(Section):
    """Which silent relationships are worth picking up."""

    silent_days: Days
    peak_mp: Mp
    peak_ratio: PerMille


class Measures(Section):
    """Windows and thresholds of the derived measures."""

    proactivity_window_days: Days
    evidence_contact_days: Count
    know_only_care_share: PerMille
    reciprocity_min_touches: Count
    little_things_weeks: Count
    rung_stale_days: Days
    rhythm_gaps: Annotated[int, Field(ge=1, le=COUNT_MAX)]
    velocity_days: Days
    forecast_horizon_days: Annotated[int, Field(ge=0, le=DAYS_MAX)]
    quadrant_mp: Mp
    stages: Stages
    account: Account
    builders: Builders
    parity: Parity
    reconnect: Reconnect


class ReactionMode(Section):
    """When contact is mostly reaction."""

    share: PerMille
    contact_days: Count


class ProblemOnly(Section):
    """When contact is about problems only."""

    window_days: Days
    contact_days: Count


class OneSided(Section):
    """When only one side gives."""

    reciprocity: PerMille
    touches: Count


class Attention(Section):
    """When a relationship wants looking after, and how often to say so."""

    per_person_per_day: Count
    date_ahead_days: Days
    reaction_mode: ReactionMode
    problem_only: ProblemOnly
    silent_after_sale_days: Days
    buffer_falls_within_days: Days
    follow_up_after_fix_days: Days
    momentum_days: Days
    one_sided: OneSided
    no_little_thing_weeks: Count
    signal_unanswered_days: Days


class Document(Section):
    """The whole policy document, as its author wrote it."""

    schema_: Literal[1] = Field(alias="schema")
    policy: Name
    version: Annotated[int, Field(ge=1, le=10**9)]
    effective_from: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    kinds: Annotated[dict[KindName, Kind], Field(min_length=1, max_length=KINDS_MAX)]
    factors: Factors
    saturation: Annotated[dict[Name, SaturationGroup], Field(max_length=NAMES_MAX)]
    incident: Incident
    buffer: Buffer
    tiers: Annotated[dict[Name, Tier], Field(max_length=NAMES_MAX)]
    channels: Annotated[
        dict[Name, Annotated[int, Field(ge=0, le=100)]], Field(max_length=NAMES_MAX)
    ]
    measures: Measures
    attention: Attention
