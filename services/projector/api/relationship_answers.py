"""From measures of one relationship to the messages of RelationshipService."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from rapport.events.v1 import common_pb2, touchpoint_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.answers import (
    balance_message,
    date_message,
    relationship_name,
    timestamp_message,
)
from services.projector.domain.forecast import Forecast
from services.projector.domain.measures import effort as efforts
from services.projector.domain.measures.incidents import (
    IncidentMeasure,
    IncidentState,
    Sla,
    repeats,
)
from services.projector.domain.measures.obligations import Obligation, State
from services.projector.domain.measures.quadrant import Quadrant
from services.projector.domain.measures.ratio import Ratio, Said
from services.projector.domain.measures.rhythm import Overdue, Rhythm
from services.projector.domain.measures.rung import Rung
from services.projector.domain.measures.stage import Stage
from services.projector.domain.measures.summary import RelationshipSummary
from services.projector.domain.measures.trust import TrustPanel
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import round_half_even
from services.projector.facts import attribution_number, step_number
from services.projector.queries.balances import RelationBalance

# The texts of touchpoints by event id, opened for the caller.
type Notes = Mapping[str, touchpoint_pb2.Touchpoint]

_SAID: Final = {
    Said.KNOWN: wire.SAID_KNOWN,
    Said.NOTHING: wire.SAID_NOTHING,
    Said.TOO_LITTLE_EVIDENCE: wire.SAID_TOO_LITTLE_EVIDENCE,
    Said.NO_SIDE: wire.SAID_NO_SIDE,
}
_OVERDUE: Final = {
    Overdue.NO: wire.OVERDUE_NONE,
    Overdue.AMBER: wire.OVERDUE_AMBER,
    Overdue.RED: wire.OVERDUE_RED,
}
STAGES: Final = {
    None: wire.STAGE_NONE,
    Stage.CONTACT: wire.STAGE_CONTACT,
    Stage.ACQUAINTANCE: wire.STAGE_ACQUAINTANCE,
    Stage.ENGAGED: wire.STAGE_ENGAGED,
    Stage.PARTNER: wire.STAGE_PARTNER,
}
QUADRANTS: Final = {
    None: wire.QUADRANT_UNSPECIFIED,
    Quadrant.NEITHER: wire.QUADRANT_NEITHER,
    Quadrant.KNOW: wire.QUADRANT_KNOW,
    Quadrant.CARE: wire.QUADRANT_CARE,
    Quadrant.BOTH: wire.QUADRANT_BOTH,
}
_SLA: Final = {
    Sla.WAITING: wire.SLA_STATE_WAITING,
    # It ends in the course of the day asked: until the day is over it is in time.
    Sla.DUE: wire.SLA_STATE_WAITING,
    Sla.PASSED: wire.SLA_STATE_MISSED,
    Sla.WITHIN: wire.SLA_STATE_MET,
    Sla.WITHIN_TWICE: wire.SLA_STATE_LATE,
    Sla.LATER: wire.SLA_STATE_LATE,
}


def balance_of_view(view: RelationshipView) -> capital.Balance:
    """The balance of a relationship that was folded."""
    days = view.contact_days
    return balance_message(
        RelationBalance(
            pair=view.pair,
            on=view.on,
            know_mp=view.balance.know_mp,
            care_mp=view.balance.care_mp,
            buffer_mp=view.buffer_mp,
            contact_days=len(days),
            first_contact_day=days[0] if days else None,
            last_contact_day=days[-1] if days else None,
        )
    )


def relationship_message(
    view: RelationshipView, measured: RelationshipSummary, notes: Notes
) -> wire.Relationship:
    """Every measure; `notes` opens the texts of obligations."""
    open_incidents = [i.event_id for i in measured.incidents if is_open(i)]
    return wire.Relationship(
        balance=balance_of_view(view),
        care_share=_share(measured.care_share.share),
        know_only=bool(measured.care_share.know_only),
        proactivity=_proactivity(measured),
        reciprocity=_reciprocity(measured),
        effort_by_a=minutes_message(measured.effort.by_a),
        effort_by_b=minutes_message(measured.effort.by_b),
        effort_window_days=view.on - measured.effort.first_day + 1,
        reliability=_share(measured.reliability.ours.share),
        reliability_by_a=_share(measured.reliability.by_person[view.a].share),
        reliability_by_b=_share(measured.reliability.by_person[view.b].share),
        trust=_trust(measured.trust),
        velocity=wire.Velocity(
            past_mp=measured.velocity.gained_mp,
            ahead_mp=measured.velocity.projected_mp,
            window_days=measured.velocity.days,
        ),
        little_things=_counts(measured.little_things.weeks, measured.little_things.of_weeks),
        rung=_rung(measured.rung),
        rhythm=_rhythm(measured.rhythm),
        stage=STAGES[measured.stage.stage],
        next_stage=_next_stage(measured),
        quadrant=QUADRANTS[measured.quadrant.quadrant],
        evidence=_evidence(measured),
        survives_severity=measured.standing.survives_severity or 0,
        positive_touches=len(measured.positive.touches),
        open_incidents=open_incidents,
        open_obligations=[
            obligation_message(view, each, notes)
            for each in measured.obligations
            if each.state in (State.OPEN, State.OVERDUE)
        ],
    )


def is_open(incident: IncidentMeasure) -> bool:
    """Whether an incident is not fixed yet."""
    return incident.state is not IncidentState.RESOLVED


def forecast_message(view: RelationshipView, told: Forecast) -> wire.Forecast:
    """A forecast."""
    message = wire.Forecast(
        relationship=relationship_name(view.pair),
        impact_mp=told.impact_mp,
        buffer_mp=told.buffer_mp,
        beyond_horizon=told.beyond_horizon,
        short_by_mp=told.short_by_mp or 0,
    )
    if told.survives_through is not None:
        message.survives_through.CopyFrom(date_message(told.survives_through))
    return message


def incident_message(
    view: RelationshipView, incident: IncidentMeasure, notes: Notes
) -> wire.Incident:
    """An incident as of the day."""
    touch = incident.touchpoint
    message = wire.Incident(
        event_id=touch.event_id,
        relationship=relationship_name(view.pair),
        occurred_at=timestamp_message(touch.instant_us),
        raised_by=touch.initiator,
        severity=touch.severity or 0,
        attribution=attribution_number(touch.attribution),  # type: ignore[arg-type]
        category=touch.category,
        channel=touch.channel,
        answer_due_at=timestamp_message(incident.due_us),
        sla=_SLA[incident.sla],
        steps=[step_number(step.step) for step in incident.steps],  # type: ignore[misc]
        open=is_open(incident),
        repeated=repeats(view, touch),
    )
    note = _note(notes, touch.event_id)
    if note is not None:
        message.note.CopyFrom(note)
    return message


def curve_messages(incident: IncidentMeasure) -> list[wire.RecoveryPoint]:
    """The recovery curve: a point for the day before, for the incident, for each step."""
    words = {step.touchpoint.event_id: step.step.value for step in incident.steps}
    words[incident.event_id] = "incident"
    return [
        wire.RecoveryPoint(
            on=date_message(point.day),
            moment=words.get(event_id, "before"),
            event_id=event_id,
            buffer_mp=point.buffer_mp,
        )
        for point in incident.curve
        for event_id in point.events or ("",)
    ]


def obligation_message(
    view: RelationshipView, obligation: Obligation, notes: Notes
) -> wire.Obligation:
    """A promise or need, and what became of it."""
    touch = obligation.touchpoint
    kept = "met" if obligation.is_need else "kept"
    words = {State.OPEN: "open", State.OVERDUE: "overdue", State.BROKEN: "broken"}
    message = wire.Obligation(
        event_id=touch.event_id,
        kind=touch.kind,
        by=view.initiator(touch),
        owed_by=obligation.owed_by,
        relationship=relationship_name(view.pair),
        occurred_at=timestamp_message(touch.instant_us),
        state=words.get(obligation.state, kept),
        settled_by="" if obligation.settled_by is None else obligation.settled_by.event_id,
    )
    if touch.due_on is not None:
        message.due_on.CopyFrom(date_message(touch.due_on))
    note = _note(notes, touch.event_id)
    if note is not None:
        message.note.CopyFrom(note)
    return message


def texts_wanted(measured: RelationshipSummary) -> Iterable[str]:
    """The event ids whose notes `relationship_message` shows."""
    for each in measured.obligations:
        if each.state in (State.OPEN, State.OVERDUE):
            yield each.event_id


def _note(notes: Notes, event_id: str) -> common_pb2.PersonalText | None:
    touchpoint = notes.get(event_id)
    if touchpoint is None or not touchpoint.HasField("note"):
        return None
    return touchpoint.note


def _share(ratio: Ratio) -> wire.Share:
    message = wire.Share(
        numerator=_whole(ratio.numerator),
        denominator=_whole(ratio.denominator),
        said=_SAID[ratio.said],
    )
    if (per_mille := ratio.per_mille) is not None:
        message.per_mille = per_mille
    return message


def _counts(numerator: int, denominator: int) -> wire.Share:
    return _share(Ratio(numerator, denominator, Said.KNOWN if denominator else Said.NOTHING))


def _whole(number: int | Fraction) -> int:
    return number if isinstance(number, int) else round_half_even(number)


def _proactivity(measured: RelationshipSummary) -> wire.Proactivity:
    found = measured.proactivity
    return wire.Proactivity(
        proactive_days=len(found.proactive_days),
        responsive_days=len(found.responsive_days),
        reactive_days=len(found.reactive_days),
        proactive_per_mille=found.proactive.per_mille,
        responsive_per_mille=found.responsive.per_mille,
        reactive_per_mille=found.reactive.per_mille,
        said=_SAID[found.proactive.said],
        left_out=found.left_out,
    )


def _reciprocity(measured: RelationshipSummary) -> wire.Reciprocity:
    found = measured.reciprocity
    return wire.Reciprocity(
        per_mille=found.share.per_mille,
        given_by_a_mp=found.by_a_mp,
        given_by_b_mp=found.by_b_mp,
        touches=found.touches,
        said=_SAID[found.share.said],
    )


def minutes_message(minutes: efforts.Minutes) -> wire.Effort:
    """Minutes by what they were for."""
    return wire.Effort(prep=minutes.prep, live=minutes.live, follow_up=minutes.follow_up)


def _trust(panel: TrustPanel) -> list[wire.TrustBar]:
    kept, close, wants = panel.reliability, panel.intimacy, panel.self_orientation
    return [
        wire.TrustBar(
            name="credibility",
            value=panel.credibility.know_mp,
            counts={"touches": panel.credibility.touches},
        ),
        wire.TrustBar(
            name="reliability",
            value=kept.share.per_mille,
            counts={"kept": kept.kept, "broken": kept.broken},
        ),
        wire.TrustBar(
            name="intimacy",
            value=close.share.per_mille,
            counts={
                "care_mp": close.care_mp,
                "deep": close.deep,
                "with_depth": close.with_depth,
                "contacts": close.contacts,
            },
        ),
        wire.TrustBar(
            name="self_orientation",
            value=wants.share.per_mille,
            counts={
                "asks": wants.asks,
                "proposals": wants.proposals,
                "outbound": wants.outbound,
                "left_out": wants.left_out,
            },
        ),
    ]


def _rung(found: Rung) -> wire.Rung:
    message = wire.Rung(
        rung=found.rung,
        channel=found.open_channels[0] if found.open_channels else "",
        stale=found.stale,
        next_channel=found.next_channels[0] if found.next_untried else "",
    )
    if found.last_used_day is not None:
        message.last_used_on.CopyFrom(date_message(found.last_used_day))
    return message


def _rhythm(found: Rhythm) -> wire.Rhythm:
    median = found.median_days
    return wire.Rhythm(
        median_gap_half_days=None if median is None else int(median * 2),
        silent_days=found.silent_days,
        overdue=_OVERDUE[found.overdue],
        tier=found.tier or "",
    )


def _next_stage(measured: RelationshipSummary) -> wire.NextStage | None:
    missing = measured.stage.missing
    if missing is None:
        return None
    return wire.NextStage(
        stage=STAGES[missing.stage],
        contact_days=missing.contact_days,
        over_days=missing.over_days,
        depth=missing.depth,
        buffer_mp=missing.buffer_mp,
    )


def _evidence(measured: RelationshipSummary) -> wire.Evidence:
    found = measured.evidence
    return wire.Evidence(
        contact_days=found.contact_days,
        age_days=found.age_days,
        too_little=not found.enough,
        without_side=measured.sideless,
    )
