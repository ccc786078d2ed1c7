"""What the views must hold, made of all events at once by the pure domain: no SQL, no order."""

from collections.abc import Mapping, Sequence
from typing import Any

from rapport.events.v1 import people_pb2

from services.projector import facts
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.contact import contact_days
from services.projector.domain.effective import effective
from services.projector.domain.entries import fold
from services.projector.domain.facts import Fact, Pair, Touchpoint, Void
from services.projector.domain.identity import Identities, Link, Unlink, identities
from services.projector.facts import Delivered
from services.runtime.clock import day_of
from services.runtime.policy import AdoptedPolicy, Policy, choose_policy


def domain_facts(events: Sequence[Delivered]) -> list[Fact]:
    """The facts that decide balances."""
    found: list[Fact] = []
    for event in events:
        known: Any = {"event_id": event.event_id, "position": event.position}
        match event.type:
            case facts.TOUCHPOINT:
                occurred_at_us = event.occurred_at_us
                found.append(
                    facts.touchpoint_from(event.payload, **known, occurred_at_us=occurred_at_us)
                )
            case facts.CORRECTED:
                found.append(facts.correction_from(event.payload, **known))
            case facts.VOIDED:
                found.append(facts.void_from(event.payload, **known))
    return found


def voided_ids(events: Sequence[Delivered]) -> set[str]:
    """What any void takes back."""
    return {fact.target for fact in domain_facts(events) if isinstance(fact, Void)}


def policy_on(events: Sequence[Delivered], day: int) -> Policy:
    """The policy in force on a day."""
    voided = voided_ids(events)
    adopted = [
        AdoptedPolicy(Policy.parse_json(facts.policy_json_from(event.payload)), event.position)
        for event in events
        if event.type == facts.POLICY_ADOPTED and event.event_id not in voided
    ]
    return choose_policy(adopted, day)


def humans(events: Sequence[Delivered]) -> Identities:
    """Who is who; an unlink that names other people than its link is wrong."""
    links: dict[str, Link] = {}
    for event in events:
        if event.type == facts.IDENTITY_LINKED:
            linked = facts.identity_linked_from(event.payload)
            strong = linked.strength == people_pb2.LINK_STRENGTH_STRONG
            links[event.event_id] = Link(
                event_id=event.event_id,
                position=event.position,
                a=linked.a,
                b=linked.b,
                strong=strong,
            )
    found: list[Link | Unlink | Void] = list(links.values())
    found += [fact for fact in domain_facts(events) if isinstance(fact, Void)]
    for event in events:
        if event.type == facts.IDENTITY_UNLINKED:
            unlinked = facts.identity_unlinked_from(event.payload)
            link = links.get(unlinked.ends)
            if link is not None and {link.a, link.b} == {unlinked.a, unlinked.b}:
                found.append(
                    Unlink(event_id=event.event_id, position=event.position, ends=unlinked.ends)
                )
    return identities(found, sides=last_sides(events))


def last_sides(events: Sequence[Delivered]) -> dict[str, int]:
    """The sides last described, whatever the day: a link of two different ones has no effect."""
    return {party: side for party, (side, _, _) in descriptions(events, 10_000_000).items() if side}


def raw_pairs(events: Sequence[Delivered]) -> dict[Pair, list[Touchpoint]]:
    """The effective touchpoints of every pair that has any touchpoint."""
    known = domain_facts(events)
    pairs: dict[Pair, list[Touchpoint]] = {
        fact.pair: [] for fact in known if isinstance(fact, Touchpoint)
    }
    for touchpoint in effective(known).touchpoints:
        pairs[touchpoint.pair].append(touchpoint)
    return pairs


def standings(events: Sequence[Delivered], day: int) -> dict[Pair, tuple[Any, ...]]:
    """Know, care, buffer, number of contact-days and the last one of every canonical pair."""
    policy, who = policy_on(events, day), humans(events)
    members: dict[Pair, list[list[Touchpoint]]] = {}
    for pair, touchpoints in raw_pairs(events).items():
        canonical = who.canonical_pair(pair)
        if canonical is not None:
            members.setdefault(canonical, []).append(touchpoints)
    found = {}
    for canonical, histories in members.items():
        balance = Balance()
        for touchpoints in histories:
            balance = balance + Buckets(fold(touchpoints, policy, day).entries).balance(day)
        days = contact_days([t for touchpoints in histories for t in touchpoints], policy, day)
        found[canonical] = (
            balance.know_mp,
            balance.care_mp,
            balance.buffer_mp(policy),
            len(days),
            days[-1] if days else None,
        )
    return found


def descriptions(events: Sequence[Delivered], day: int) -> dict[str, tuple[int, str, str]]:
    """Side, team and tier in force on a day, of everybody described."""
    voided = voided_ids(events)
    best: dict[str, tuple[tuple[int, int], tuple[int, str, str]]] = {}
    for event in events:
        if event.type != facts.PARTY_DESCRIBED or event.event_id in voided:
            continue
        if day_of(event.occurred_at_us) > day:
            continue
        said = facts.party_described_from(event.payload)
        rank = (event.occurred_at_us, event.position)
        if said.party not in best or rank > best[said.party][0]:
            best[said.party] = (rank, (said.side, said.team, said.tier))
    return {party: said for party, (_, said) in best.items()}


def erased(events: Sequence[Delivered]) -> set[str]:
    """Whose texts are gone."""
    return {facts.subject_from(e.payload) for e in events if e.type == facts.SUBJECT_ERASED}


def states(events: Sequence[Delivered]) -> Mapping[str, tuple[int, str | None]]:
    """State and correction in force of every touchpoint."""
    known = domain_facts(events)
    standing = {touchpoint.event_id: touchpoint for touchpoint in effective(known).touchpoints}
    found: dict[str, tuple[int, str | None]] = {}
    for fact in known:
        if isinstance(fact, Touchpoint):
            now = standing.get(fact.event_id)
            if now is None:
                found[fact.event_id] = (3, None)
            else:
                found[fact.event_id] = (2 if now.corrected_by else 1, now.corrected_by or None)
    return found
