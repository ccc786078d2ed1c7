"""Everything one relationship has to say about itself on a day."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.projector.domain.measures.care_share import CareShare, care_share
from services.projector.domain.measures.effort import Effort, effort
from services.projector.domain.measures.evidence import Evidence, evidence
from services.projector.domain.measures.incidents import IncidentMeasure, incidents
from services.projector.domain.measures.little_things import LittleThings, little_things
from services.projector.domain.measures.obligations import Obligation, obligations
from services.projector.domain.measures.positive import PositiveTouches, positive_touches
from services.projector.domain.measures.proactivity import Proactivity, proactivity
from services.projector.domain.measures.quadrant import QuadrantMeasure, quadrant
from services.projector.domain.measures.reciprocity import Reciprocity, reciprocity
from services.projector.domain.measures.reliability import Reliability, reliability
from services.projector.domain.measures.rhythm import Rhythm, rhythm
from services.projector.domain.measures.rung import Rung, rung
from services.projector.domain.measures.stage import StageMeasure, stage
from services.projector.domain.measures.standing import Standing, standing
from services.projector.domain.measures.trust import TrustPanel, trust_panel
from services.projector.domain.measures.velocity import Velocity, velocity
from services.projector.domain.measures.view import RelationshipView, Side


@dataclass(frozen=True, slots=True)
class RelationshipSummary:
    """All measures of a relationship as of `on`, under the policy of the label.

    `a` < `b` are canonical ids; `sides` has those of the two that have one, `sideless` the others,
    whom measures that need a side leave out.
    """

    on: int
    policy: str
    a: str
    b: str
    sides: Mapping[str, Side]
    sideless: tuple[str, ...]
    standing: Standing
    evidence: Evidence
    care_share: CareShare
    proactivity: Proactivity
    positive: PositiveTouches
    reciprocity: Reciprocity
    effort: Effort
    reliability: Reliability
    trust: TrustPanel
    velocity: Velocity
    little_things: LittleThings
    rung: Rung
    rhythm: Rhythm
    stage: StageMeasure
    quadrant: QuadrantMeasure
    incidents: tuple[IncidentMeasure, ...]
    obligations: tuple[Obligation, ...]


def summary(view: RelationshipView) -> RelationshipSummary:
    """All measures of a relationship, each a pure function of the view."""
    return RelationshipSummary(
        on=view.on,
        policy=view.policy.label,
        a=view.a,
        b=view.b,
        sides=view.sides,
        sideless=view.sideless,
        standing=standing(view),
        evidence=evidence(view),
        care_share=care_share(view),
        proactivity=proactivity(view),
        positive=positive_touches(view),
        reciprocity=reciprocity(view),
        effort=effort(view),
        reliability=reliability(view),
        trust=trust_panel(view),
        velocity=velocity(view),
        little_things=little_things(view),
        rung=rung(view),
        rhythm=rhythm(view),
        stage=stage(view),
        quadrant=quadrant(view),
        incidents=incidents(view),
        obligations=obligations(view),
    )
