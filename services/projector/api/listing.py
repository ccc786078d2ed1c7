"""Pages of lists that are computed: every page with the day, policy and position of the first."""

from dataclasses import dataclass

from google.protobuf.message import Message

from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.tokens import ListToken, Pin, token_invalid
from services.projector.queries.question import AsOf, Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import Place
from services.runtime.page_tokens import request_key


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list: the question as the caller put it, and where the page begins."""

    key: bytes
    as_of: AsOf
    token: ListToken | None

    @property
    def after(self) -> Place | None:
        """Where the page before ended; None for the first."""
        return None if self.token is None else self.token.place

    async def question(self, dependencies: Dependencies, snapshot: Snapshot) -> Question:
        """What the page is computed with; PAGE_TOKEN_INVALID when that cannot be had any more."""
        if self.token is None:
            return await dependencies.resolve(snapshot, self.as_of)
        token = self.token
        pinned = AsOf(on=token.day, known_at_position=token.position, policy=self.as_of.policy)
        question = await dependencies.resolve(snapshot, pinned)
        if question.policy.hash != token.policy_hash:
            raise token_invalid()
        return question

    def next_token(self, question: Question, place: Place | None) -> str:
        """The token of the page after, which begins behind `place`; empty at the end."""
        return "" if place is None else ListToken.of(question, place).text(self.key)


async def listing(
    dependencies: Dependencies,
    call: Call,
    context: Context,
    as_of: AsOf,
    request: Message,
    name: str,
) -> Listing:
    """The page that a request with `page_token` asks for; `name` is that of the method."""
    key = request_key(name, call.tenant, request)
    text: str = request.page_token  # type: ignore[attr-defined]
    token = ListToken.read(text, key) if text else None
    if token is not None:
        # A replica that is behind the one that made the token would leave out what it knew.
        await dependencies.begin(context, token.position)
    return Listing(key, as_of, token)


async def held(dependencies: Dependencies, context: Context, as_of: AsOf, pin: Pin | None) -> AsOf:
    """The question of a page: that of the first one, which a further page's token pins."""
    if pin is None:
        return as_of
    pinned = pin.hold(as_of)
    if pinned is not as_of:
        # A replica that is behind the one that made the token would leave out what it knew.
        await dependencies.begin(context, pin.position)
    return pinned
