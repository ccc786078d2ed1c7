"""AttentionService: what people should look after, why, and what clears it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Final

from rapport.events.v1 import people_pb2
from rapport.v1 import attention_service_pb2 as attention
from rapport.v1.attention_service_pb2_grpc import AttentionServiceServicer

from services.projector.api.answers import computed_message
from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.digests import digest_text, others_of
from services.projector.api.fields import Fields
from services.projector.api.texts import Sealed, open_all
from services.projector.attention_messages import item_message
from services.projector.queries.attention import (
    AttentionList,
    last_number,
    list_attention,
    read_changes,
)
from services.projector.queries.parties import PartyRow, get_party
from services.projector.queries.question import AsOf, Question, policy_for
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.stays import read_watched_stays
from services.projector.queries.watch_lists import read_watch_list
from services.runtime.caller import current_caller
from services.runtime.clock import US_PER_DAY
from services.runtime.errors import RapportError, Reason

HEARTBEAT_S: Final = 5.0
# How soon a watcher hears of a change.
WATCH_POLL_S: Final = 0.5


class Attention(AttentionServiceServicer):
    """The handlers of AttentionService; errors are RapportErrors, which the edge answers."""

    def __init__(
        self,
        dependencies: Dependencies,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        poll_s: float = WATCH_POLL_S,
    ) -> None:
        self._with, self._heartbeat_s, self._poll_s = dependencies, heartbeat_s, poll_s

    async def ListAttention(  # noqa: N802
        self, request: attention.ListAttentionRequest, context: Context
    ) -> attention.ListAttentionResponse:
        """A person's items of a day."""
        fields = Fields()
        person = _person(fields, request.person)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> attention.ListAttentionResponse:
            question, found = await self._listed(
                snapshot, as_of, person, everything=request.all, watch_list=request.watch_list
            )
            return attention.ListAttentionResponse(
                items=_messages(found),
                left_out=len(found.left_out),
                left_out_by_rule=Counter(item.rule.value for item in found.left_out),
                left_out_in_debt=sum(item.at_stake_mp < 0 for item in found.left_out),
                computed=computed_message(snapshot, question),
            )

        return await call.read(work)

    async def GetDigest(  # noqa: N802
        self, request: attention.GetDigestRequest, context: Context
    ) -> attention.GetDigestResponse:
        """A person's day as text."""
        fields = Fields()
        person = _person(fields, request.person)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> tuple[Question, AttentionList, list[PartyRow]]:
            question, found = await self._listed(snapshot, as_of, person, everything=False)
            messages = _messages(found)
            parties = {person, *map(others_of, messages)}
            return question, found, await _read_parties(snapshot, question, parties)

        question, found, rows = await call.read(work)
        items = _messages(found)
        names = await self._names(call, rows)
        text = digest_text(person, question.on, items, found.left_out, names)
        return attention.GetDigestResponse(text=text, items=items)

    async def WatchAttention(  # noqa: N802
        self, request: attention.WatchAttentionRequest, context: Context
    ) -> AsyncIterator[attention.WatchAttentionResponse]:
        """Changes from a number on, then live; a heartbeat at once and whenever it is silent."""
        fields = Fields()
        person = fields.person("person", request.person) if request.person else None
        if request.from_number < 0:
            fields.wrong("from_number", "a number is not negative", Reason.OUT_OF_RANGE)
        fields.done()
        call = await self._with.begin(context, 0)
        through = request.from_number - 1
        if through < 0:
            through = await call.read(last_number)
        silent_s = self._heartbeat_s
        while True:

            async def work(snapshot: Snapshot, first: int = through + 1) -> _Found:
                found = await read_changes(snapshot, first, person)
                return found.changes, found.through

            changes, read_through = await call.read(work)
            for _, payload in changes:
                yield attention.WatchAttentionResponse.FromString(payload)
            more = read_through > through
            through = max(through, read_through)
            if changes:
                silent_s = 0.0
            elif silent_s >= self._heartbeat_s:
                yield attention.WatchAttentionResponse(number=max(through, 0))
                silent_s = 0.0
            if not more:
                silent_s += await self._pause()

    async def _pause(self) -> float:
        """Wait for the next look; UNAVAILABLE when this process is about to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_s):
                await self._with.draining.wait()
            raise RapportError(
                Reason.UNAVAILABLE, "the projector is stopping; go on with another one"
            )
        return self._poll_s

    async def _listed(
        self,
        snapshot: Snapshot,
        as_of: AsOf,
        person: str,
        *,
        everything: bool,
        watch_list: str = "",
    ) -> tuple[Question, AttentionList]:
        question = await self._with.resolve(snapshot, as_of)
        today = self._with.today()
        is_today = question.on == today and not as_of.names_knowledge
        if is_today and as_of.policy is not None:
            in_force = await policy_for(snapshot, self._with.shelf, None, today, snapshot.position)
            is_today = in_force.hash == question.policy.hash
        watched = None
        if watch_list:
            owner = current_caller().principal
            saved = await read_watch_list(snapshot, owner, watch_list, question.position)
            stays = await read_watched_stays(snapshot, question, saved.parties)
            there = (stay.person for stay in stays if stay.covers_day(question.on))
            watched = {*saved.parties, *there}
        found = await list_attention(
            snapshot, question, person, is_today=is_today, everything=everything, watched=watched
        )
        return question, found

    async def _names(self, call: Call, rows: Sequence[PartyRow]) -> dict[str, str]:
        """Display names, of those that have one that can still be read."""
        described = [people_pb2.PartyDescribed.FromString(row.payload or b"") for row in rows]
        payloads = [
            Sealed(message, str(row.described_by), (row.party,), visible=True)
            for row, message in zip(rows, described, strict=True)
        ]
        await open_all(self._with.keys, call.tenant, payloads)
        return {
            row.party: message.display_name.text
            for row, message in zip(rows, described, strict=True)
            if message.display_name.text
        }


type _Found = tuple[tuple[tuple[int, bytes], ...], int]


def _person(fields: Fields, text: str) -> str:
    """Whose attention: the caller's, who must be a person then."""
    if text:
        return fields.person("person", text)
    caller = current_caller()
    if caller.is_service:
        fields.wrong("person", "is required of a service", Reason.FIELD_REQUIRED)
    return caller.principal


def _messages(found: AttentionList) -> list[attention.AttentionItem]:
    return [item_message(each.item, each.raised_on, each.snoozed_until) for each in found.listed]


async def _read_parties(
    snapshot: Snapshot, question: Question, parties: Iterable[str]
) -> list[PartyRow]:
    before_us = (question.on + 1) * US_PER_DAY
    rows = [
        await get_party(snapshot, party, before_us, question.position) for party in sorted(parties)
    ]
    return [row for row in rows if row is not None]
