"""An attention item: something a person should look after, and why."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.projector.domain.facts import Pair

# Events behind an item that it names, the newest of them.
EVENTS_MAX: Final = 20
_DIGEST_HEX_DIGITS: Final = 32


class Rule(StrEnum):
    """The rules, by the word that items, subjects and digests use."""

    OVERDUE = "overdue"
    DATE_COMING = "date_coming"
    FACT_DUE = "fact_due"
    REACTION_MODE = "reaction_mode"
    PROBLEM_ONLY = "problem_only"
    SILENT_AFTER_SALE = "silent_after_sale"
    BUFFER_FALLS = "buffer_falls"
    INCIDENT_UNANSWERED = "incident_unanswered"
    NO_FOLLOW_UP = "no_follow_up"
    PROMISE_DUE = "promise_due"
    MOMENTUM = "momentum"
    ONE_SIDED = "one_sided"
    KNOW_ONLY = "know_only"
    NO_LITTLE_THING = "no_little_thing"
    SIGNAL_UNANSWERED = "signal_unanswered"
    SINGLE_THREADED = "single_threaded"
    CAPITAL_AT_RISK = "capital_at_risk"


class Reason(StrEnum):
    """Why an item was cleared."""

    # What it asked for was done.
    CONTACT = "contact"
    FACT_USED = "fact_used"
    ANSWERED = "answered"
    FOLLOWED_UP = "followed_up"
    KEPT = "kept"
    BROKEN = "broken"
    MET = "met"
    NEXT_RUNG = "next_rung"
    LITTLE_THING = "little_thing"
    SPREAD = "spread"
    HANDED_OVER = "handed_over"
    # The day came and went, or the time to use is over.
    PASSED = "passed"
    # An event behind it was taken back, or moved to a later day.
    WITHDRAWN = "withdrawn"
    # Another policy is in force.
    POLICY = "policy"
    # What the facts say of the people or of what is owed is different now: a side, a tier, a
    # place, a link, a due day.
    CHANGED = "changed"


CLEARED_BY: Final = {
    Rule.OVERDUE: "any contact, by either side",
    Rule.DATE_COMING: "contact on the day, or using the date before; else the day passing",
    Rule.FACT_DUE: "contact that uses the fact",
    Rule.REACTION_MODE: "contact on our own account",
    Rule.PROBLEM_ONLY: "contact that is about no problem",
    Rule.SILENT_AFTER_SALE: "any contact after the sale, by either side",
    Rule.BUFFER_FALLS: "contact that makes up for what fades",
    Rule.INCIDENT_UNANSWERED: "an answer: apology, fix, compensation or follow-up",
    Rule.NO_FOLLOW_UP: "a follow-up after the fix",
    Rule.PROMISE_DUE: "keeping it, or saying that it was broken",
    Rule.MOMENTUM: "contact on the next rung; else the days passing",
    Rule.ONE_SIDED: "contact that evens it out",
    Rule.KNOW_ONLY: "contact that cares",
    Rule.NO_LITTLE_THING: "a little thing",
    Rule.SIGNAL_UNANSWERED: "contact by us",
    Rule.SINGLE_THREADED: "other people of ours or of theirs getting to know each other",
    Rule.CAPITAL_AT_RISK: "a handover of every relationship",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """What an item was computed with: tells a later day what has changed since.

    The number of counted contacts of the relationship, the instant of the latest of them, and the
    hash of the policy.
    """

    contacts: int
    last_us: int | None
    policy_hash: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something for one of ours to look after, as of a day.

    `item` is the same text while the cause lasts, and says nothing about anybody. `about` names a
    relationship or a party, `pair` the relationship's canonical ids (None: about a party).
    `numbers` are the figures behind `why`, a sentence without any text about people. `event_ids`
    are at most EVENTS_MAX, the newest, in order. `at_stake_mp` is what two weeks of waiting cost
    (as many days as the policy says): Bf(t) - Bf(t + 14), below 0 where old wounds heal faster.
    """

    item: str
    rule: Rule
    person: str
    about: str
    pair: Pair | None
    why: str
    numbers: tuple[tuple[str, int], ...]
    event_ids: tuple[str, ...]
    at_stake_mp: int
    trace: Trace

    @property
    def cleared_by(self) -> str:
        """What clears it, in words."""
        return CLEARED_BY[self.rule]

    def number(self, name: str) -> int:
        """A figure behind it; KeyError if it has none of the name."""
        return dict(self.numbers)[name]


def item_id(rule: Rule, person: str, about: str, cause: Iterable[str | int] = ()) -> str:
    """The id of an item: `rule-` and a digest of whom, what and which cause it is about.

    At most 51 bytes of a-z, 0-9, `_` and `-`. A digest, since ids of people may tell who they are.
    """
    parts = [rule.value, person, about, *(str(part) for part in cause)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGEST_HEX_DIGITS]
    return f"{rule.value}-{digest}"


def relationship_name(pair: Pair) -> str:
    """`relationships/{a}~{b}`."""
    a, b = (person.removeprefix("people/") for person in pair)
    return f"relationships/{a}~{b}"
