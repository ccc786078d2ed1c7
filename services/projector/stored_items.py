"""Open attention items as their rows keep them, and back."""

import json
from typing import Any

from services.projector.domain.attention.items import Item, Rule, Trace
from services.projector.domain.attention.turn import OpenItem

type Row = tuple[Any, ...]


def row_of(kept: OpenItem) -> Row:
    """The columns of views.attention_items from item on, in the table's order."""
    item, trace = kept.item, kept.item.trace
    a, b = item.pair or (None, None)
    return (
        item.item,
        item.person,
        item.rule.value,
        item.about,
        a,
        b,
        kept.raised_on,
        item.at_stake_mp,
        item.why,
        json.dumps(dict(item.numbers), separators=(",", ":")),
        "{" + ",".join(item.event_ids) + "}",
        trace.contacts,
        trace.last_us,
        trace.policy_hash,
    )


def open_item_of(row: Any) -> OpenItem:
    """The open item of a row."""
    item = Item(
        item=row["item"],
        rule=Rule(row["rule"]),
        person=row["person"],
        about=row["about"],
        pair=None if row["a"] is None else (row["a"], row["b"]),
        why=row["why"],
        numbers=tuple(sorted(json.loads(row["numbers"]).items())),
        event_ids=tuple(str(event_id) for event_id in row["event_ids"]),
        at_stake_mp=row["at_stake_mp"],
        trace=Trace(row["contacts"], row["last_us"], row["policy_hash"]),
    )
    return OpenItem(item, row["raised_on"])
