"""Attention items and their changes as messages: what is stored, published and answered."""

from rapport.events.v1 import common_pb2
from rapport.v1 import attention_service_pb2 as attention

from services.projector.domain.attention.items import Item
from services.projector.domain.attention.turn import Change, ChangeKind
from services.runtime.clock import date_from_day, timestamp_from_instant

_KINDS = {
    ChangeKind.RAISED: attention.ATTENTION_CHANGE_RAISED,
    ChangeKind.CLEARED: attention.ATTENTION_CHANGE_CLEARED,
}


def item_message(
    item: Item, raised_on: int | None, snoozed_until: int | None = None
) -> attention.AttentionItem:
    """An item; `raised_on` None: no turn has raised it (yet)."""
    message = attention.AttentionItem(
        item=item.item,
        rule=item.rule.value,
        person=item.person,
        about=item.about,
        why=item.why,
        cleared_by=item.cleared_by,
        event_ids=item.event_ids,
        at_stake_mp=item.at_stake_mp,
    )
    if raised_on is not None:
        message.raised_on.CopyFrom(_date(raised_on))
    if snoozed_until is not None:
        message.snoozed_until.CopyFrom(_date(snoozed_until))
    return message


def change_message(
    change: Change, number: int, recorded_at_us: int
) -> attention.WatchAttentionResponse:
    """A change under its number in the journal's log."""
    message = attention.WatchAttentionResponse(
        number=number,
        change=_KINDS[change.kind],
        item=item_message(change.item, change.raised_on),
        reason="" if change.reason is None else change.reason.value,
        on=_date(change.on),
    )
    message.recorded_at.seconds, message.recorded_at.nanos = timestamp_from_instant(recorded_at_us)
    return message


def _date(day: int) -> common_pb2.Date:
    date = date_from_day(day)
    return common_pb2.Date(year=date.year, month=date.month, day=date.day)
