"""A person's day as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rapport.v1 import attention_service_pb2 as attention

from services.projector.domain.attention.items import Item
from services.runtime.clock import date_from_day

_RELATIONSHIPS: Final = "relationships/"
_PEOPLE: Final = "people/"


def others_of(item: attention.AttentionItem) -> str:
    """Whom an item is about, for whom it is for: the other of a relationship, else a party."""
    if not item.about.startswith(_RELATIONSHIPS):
        return item.about
    a, _, b = item.about.removeprefix(_RELATIONSHIPS).partition("~")
    me = item.person.removeprefix(_PEOPLE)
    return _PEOPLE + (b if a == me else a)


def digest_text(
    person: str,
    on: int,
    items: Sequence[attention.AttentionItem],
    left_out: Sequence[Item],
    names: Mapping[str, str],
) -> str:
    """Plain text: one paragraph an item, what is lost by waiting first.

    `left_out` are the items beyond the ration. Nothing is left out unsaid: what is in debt loses
    nothing by waiting and would be left out every day. `names` are display names by party, where
    there are any to be seen.
    """
    day = date_from_day(on).strftime("%A, %Y-%m-%d")
    who = names.get(person, person)
    if not items:
        return f"{who}, {day}: nothing asks for your attention.\n"
    count = "1 thing asks" if len(items) == 1 else f"{len(items)} things ask"
    lines = [f"{who}, {day}: {count} for your attention.", ""]
    for number, item in enumerate(items, start=1):
        about = others_of(item)
        lines.append(f"{number}. {names.get(about, about)}: {item.why}")
        lines.append(f"   What clears it: {item.cleared_by}. ({item.rule.replace('_', ' ')})")
    if left_out:
        lines += ["", _beyond(left_out)]
    return "\n".join(lines) + "\n"


def _beyond(left_out: Sequence[Item]) -> str:
    """How many did not fit, by rule, the commonest first."""
    rules = Counter(item.rule.value.replace("_", " ") for item in left_out)
    told = ", ".join(
        f"{n} {rule}" for rule, n in sorted(rules.items(), key=lambda r: (-r[1], r[0]))
    )
    in_debt = sum(item.at_stake_mp < 0 for item in left_out)
    debt = f" {in_debt} of them about a relationship in debt." if in_debt else ""
    return f"{len(left_out)} more did not fit into the day: {told}.{debt}"
