"""What every field of every payload takes: one table.

Limits and forms are those of the comments in proto/rapport/events/v1.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import Message
from rapport.events.v1 import common_pb2, people_pb2, practice_pb2, touchpoint_pb2

from services.runtime import limits, names
from services.runtime.errors import Reason
from services.runtime.payloads import rules
from services.runtime.payloads.rules import REQUIRED, Fault, Rule
from services.runtime.payloads.touchpoints import faults_of_kind
from services.runtime.policy import Policy, PolicyError

# A rule about several fields of a message: paths within it, and what is wrong there.
type MessageRule = Callable[[Any], Iterator[tuple[str, Fault]]]


@dataclass(frozen=True, slots=True)
class MessageRules:
    """Rules of one message: of its fields by name (of every item of a repeated one), of several.

    `counts` are the items a repeated field or map takes at most, `text_bytes` the size of personal
    texts where it is not 64 KiB.
    """

    required: tuple[str, ...] = ()
    fields: Mapping[str, Rule[Any]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    text_bytes: Mapping[str, int] = field(default_factory=dict)
    whole: MessageRule | None = None


_person: Final = rules.named(names.parse_person)
_organization: Final = rules.named(names.parse_organization)
PARTY: Final = rules.named(names.parse_party)
_event_id: Final = rules.named(names.check_event_id)
_minutes: Final = rules.between(0, limits.MINUTES_MAX)
_attributes: Final = {"attributes": limits.ATTRIBUTES_MAX}


def _same_person(a: str, b: str, path: str) -> Iterator[tuple[str, Fault]]:
    if a and a == b:
        yield path, Fault(Reason.SAME_PERSON, "takes another person than the first one")


def _whole_touchpoint(message: Any) -> Iterator[tuple[str, Fault]]:
    yield from _same_person(message.initiator, message.counterpart, "counterpart")
    if message.kind:
        yield from faults_of_kind(
            message.kind,
            severity=message.severity,
            attribution=message.attribution,
            category=message.category,
            resolves=message.resolves,
            recovery_step=message.recovery_step,
        )


def _whole_party(message: Any) -> Iterator[tuple[str, Fault]]:
    if not message.party:
        return
    is_person = names.is_person(message.party)
    agreeing = people_pb2.PARTY_KIND_PERSON if is_person else people_pb2.PARTY_KIND_ORGANIZATION
    if message.kind not in (people_pb2.PARTY_KIND_UNSPECIFIED, agreeing):
        yield "kind", Fault(Reason.FIELD_NOT_ALLOWED, "must agree with the party's name")
    if message.side and not is_person:
        yield "side", rules.not_allowed("belongs to people alone")


def _whole_link(message: Any) -> Iterator[tuple[str, Fault]]:
    yield from _same_person(message.a, message.b, "b")


def _whole_fact(message: Any) -> Iterator[tuple[str, Fault]]:
    if message.HasField("text") and not message.text.text:
        yield "text.text", REQUIRED


def _whole_date(message: Any) -> Iterator[tuple[str, Fault]]:
    if message.HasField("label") and not message.label.text:
        yield "label.text", REQUIRED
    fault = rules.day_of_year(message.month, message.day)
    if message.month and message.day and 1 <= message.month <= 12 and fault is not None:
        yield "day", fault


def _whole_policy(message: Any) -> Iterator[tuple[str, Fault]]:
    if not message.policy_json:
        return
    try:
        Policy.parse_json(message.policy_json)
    except PolicyError as error:
        for path, text in error.faults:
            key = "" if path == "policy" else f".{path}"
            yield f"policy_json{key}", Fault(Reason.POLICY_INVALID, text)


def _whole_answer(message: Any) -> Iterator[tuple[str, Fault]]:
    snoozed = message.response == practice_pb2.ATTENTION_RESPONSE_SNOOZED
    if snoozed and not message.HasField("until"):
        yield "until", REQUIRED
    if not snoozed and message.HasField("until"):
        yield "until", rules.not_allowed("belongs to SNOOZED alone")


def _whole_day(message: Any) -> Iterator[tuple[str, Fault]]:
    fault = rules.calendar_day(message.year, message.month, message.day)
    if fault is not None:
        yield "", fault


def _rules() -> dict[str, MessageRules]:
    t, p, q = touchpoint_pb2, people_pb2, practice_pb2
    table: dict[type[Message], MessageRules] = {
        common_pb2.Date: MessageRules(whole=_whole_day),
        common_pb2.PersonalText: MessageRules(
            fields={"data_subjects": PARTY}, counts={"data_subjects": limits.DATA_SUBJECTS_MAX}
        ),
        t.Minutes: MessageRules(fields={"prep": _minutes, "live": _minutes, "follow_up": _minutes}),
        t.Provenance: MessageRules(
            fields={
                "method": rules.sized(limits.METHOD_BYTES_MAX),
                "tool": rules.sized(limits.TOOL_BYTES_MAX),
                "author": rules.named(names.parse_principal),
                "confidence": rules.between(0, 1000),
            }
        ),
        t.Touchpoint: MessageRules(
            required=("initiator", "counterpart", "kind"),
            fields={
                "initiator": _person,
                "counterpart": _person,
                "kind": rules.named(names.parse_kind),
                "channel": rules.lower_case(limits.CHANNEL_BYTES_MAX),
                "depth": rules.between(0, 3),
                "sentiment": rules.between(-2, 2),
                "category": rules.sized(limits.CATEGORY_BYTES_MAX),
                "resolves": _event_id,
                "in_reply_to": _event_id,
                "fulfils": _event_id,
                "occasion_id": _event_id,
                "facts_used": _event_id,
                "external_id": rules.sized(limits.EXTERNAL_ID_BYTES_MAX),
            },
            counts={"facts_used": limits.FACTS_USED_MAX, **_attributes},
            whole=_whole_touchpoint,
        ),
        t.Voided: MessageRules(required=("target",), fields={"target": _event_id}),
        t.Corrected: MessageRules(
            required=("replaces", "touchpoint"), fields={"replaces": _event_id}
        ),
        p.Portrait: MessageRules(
            required=("uri", "sha256"),
            fields={"uri": rules.sized(limits.URL_BYTES_MAX), "sha256": rules.digest_sha256},
        ),
        p.PartyDescribed: MessageRules(
            required=("party",),
            fields={
                "party": PARTY,
                "team": rules.lower_case(limits.TEAM_BYTES_MAX),
                "tier": rules.sized(limits.TIER_BYTES_MAX),
            },
            counts=_attributes,
            text_bytes={"display_name": limits.DISPLAY_NAME_BYTES_MAX},
            whole=_whole_party,
        ),
        p.AffiliationStarted: MessageRules(
            required=("person", "organization"),
            fields={
                "person": _person,
                "organization": _organization,
                "role": rules.sized(limits.ROLE_BYTES_MAX),
            },
        ),
        p.AffiliationEnded: MessageRules(
            required=("person", "organization", "ends"),
            fields={"person": _person, "organization": _organization, "ends": _event_id},
        ),
        p.IdentityLinked: MessageRules(
            required=("a", "b"), fields={"a": _person, "b": _person}, whole=_whole_link
        ),
        p.IdentityUnlinked: MessageRules(
            required=("a", "b", "ends"),
            fields={"a": _person, "b": _person, "ends": _event_id},
            whole=_whole_link,
        ),
        p.FactLearned: MessageRules(
            required=("person", "text"),
            fields={"person": _person, "category": rules.lower_case(limits.CATEGORY_BYTES_MAX)},
            whole=_whole_fact,
        ),
        p.DateNoted: MessageRules(
            required=("person", "label", "month", "day"),
            fields={
                "person": _person,
                "month": rules.between(1, 12),
                "day": rules.between(1, 31),
                "year": rules.between(1, 9999),
            },
            whole=_whole_date,
        ),
        p.SignalObserved: MessageRules(
            required=("about",),
            fields={
                "about": PARTY,
                "channel": rules.sized(limits.CHANNEL_BYTES_MAX),
                "url": rules.sized(limits.URL_BYTES_MAX),
            },
        ),
        q.PolicyAdopted: MessageRules(
            required=("policy_json",),
            fields={"policy_json": rules.sized(limits.POLICY_BYTES_MAX)},
            whole=_whole_policy,
        ),
        q.WatchListSaved: MessageRules(
            required=("list",),
            fields={"list": rules.list_name, "parties": PARTY},
            counts={"parties": limits.WATCH_LIST_PARTIES_MAX},
        ),
        q.AttentionAnswered: MessageRules(
            required=("item", "response"),
            fields={"item": rules.item_id},
            whole=_whole_answer,
        ),
    }
    return {message.DESCRIPTOR.full_name: each for message, each in table.items()}


RULES: Final[Mapping[str, MessageRules]] = _rules()
