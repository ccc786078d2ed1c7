"""People and organisations as they are described."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.projector.queries.pages import within_bytes
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.runtime.clock import US_PER_DAY

PEOPLE: Final = "people/"
ORGANIZATIONS: Final = "organizations/"
# The first text beyond every name.
_NAMES_END: Final = "people0"


@dataclass(frozen=True, slots=True)
class PartyRow:
    """A party that some event names; `payload` is the description in force, texts sealed."""

    party: str
    erased: bool
    described_by: UUID | None
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class PartiesAsked:
    """A page of parties after a name; `prefix` is PEOPLE, ORGANIZATIONS or empty for both.

    `side` is a number of rapport.events.v1.Side, 0 for all; empty texts let everything through.
    """

    prefix: str
    side: int
    tier: str
    team: str
    after: str | None
    limit: int


async def get_party(
    snapshot: Snapshot, party: str, before_us: int, known_at: int
) -> PartyRow | None:
    """A party as described before an instant, as known; None when no event named it by then."""
    row = await snapshot.fetch_row("party", party, before_us, known_at)
    if row is None:
        return None
    payload = row["payload"]
    return PartyRow(
        row["party"],
        row["erased"],
        row["described_by"],
        None if payload is None else bytes(payload),
    )


async def list_parties(
    snapshot: Snapshot, question: Question, asked: PartiesAsked, *, is_today: bool
) -> tuple[list[PartyRow], str | None]:
    """A page of parties by name, as of a question, and the name to go on from; None at the end.

    As described today they have a row each; as of other questions the description of each is
    looked up.
    """
    until = _beyond(asked.prefix) if asked.prefix else _NAMES_END
    after = asked.prefix if asked.after is None else asked.after
    page = after, until, asked.side, asked.tier, asked.team, asked.limit + 1
    if is_today and question.newest:
        rows = await snapshot.fetch("parties", *page)
    else:
        before_us = (question.on + 1) * US_PER_DAY
        rows = await snapshot.fetch("parties_described", *page, before_us, question.position)
    kept = within_bytes(rows[: asked.limit], lambda row: row["bytes"])
    described = [row["described_by"] for row in kept if row["bytes"]]
    payloads = {}
    if described:
        for row in await snapshot.fetch("descriptions", described):
            payloads[row["event_id"]] = bytes(row["payload"])
    parties = [
        PartyRow(
            row["party"], row["erased"], row["described_by"], payloads.get(row["described_by"])
        )
        for row in kept
    ]
    return parties, parties[-1].party if len(parties) < len(rows) else None


def _beyond(prefix: str) -> str:
    """The first text after all that begin with `prefix`: `/` is followed by `0`."""
    assert prefix.endswith("/")
    return prefix[:-1] + "0"
