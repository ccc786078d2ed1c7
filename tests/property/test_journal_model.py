"""Whatever callers send at once, the journal answers as if they had come one after the other."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ledger.domain.events import Batch, NewRecord, StoredEvent
from services.ledger.journal.outcomes import EventIdTaken, RevisionConflict, TargetAppeared
from services.ledger.journal.store import Journal
from tests.support.batches import JOURNAL, all_events, batch, event_id, record
from tests.support.databases import Background, DatabaseFactory

_NUMBERS = st.integers(0, 7)

_RECORDS = st.builds(
    lambda number, home, expected, payload, occurred_at_us: record(
        number,
        home=home,
        expected_revision=expected,
        payload=payload,
        occurred_at_us=occurred_at_us,
    ),
    _NUMBERS,
    st.sampled_from(["people/ann", "people/bob"]),
    st.one_of(st.none(), st.integers(0, 3)),
    st.sampled_from([b"one", b"one", b"two"]),
    st.sampled_from([None, 5, 5, 6]),
)
_BATCHES = st.builds(
    lambda records, tenant, targets, known: batch(
        *records,
        tenant=tenant,
        # Targets of one's own batch are known to whoever made it.
        unknown_targets=frozenset(map(event_id, targets)) - {r.event_id for r in records},
        known_replays=frozenset(map(event_id, known)),
    ),
    st.lists(_RECORDS, min_size=1, max_size=4, unique_by=lambda r: r.event_id),
    st.sampled_from(["a", "b"]),
    st.sets(_NUMBERS, max_size=1),
    st.sets(_NUMBERS, max_size=1),
)
# Rounds of callers that come at once.
_ROUNDS = st.lists(st.lists(_BATCHES, min_size=1, max_size=6), min_size=1, max_size=3)


@dataclass
class Model:
    """The journal's rules for one tenant, one batch at a time."""

    stored: dict[str, tuple[NewRecord, int]] = field(default_factory=dict)
    revisions: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def append(self, sent: Batch) -> list[Any]:
        """What is answered: one (home, revision, replayed) a record, or the kind of refusal."""
        if any(self._is_another(r, sent) for r in sent.records):
            return [EventIdTaken]
        if any(target in self.stored for target in sent.unknown_targets):
            return [TargetAppeared]
        answers: list[Any] = []
        revisions = self.revisions.copy()
        for new in sent.records:
            if new.event_id in self.stored:
                first, revision = self.stored[new.event_id]
                answers.append((first.home, revision, True))
                continue
            if new.expected_revision not in (None, revisions[new.home]):
                return [RevisionConflict, new.event_id, revisions[new.home]]
            revisions[new.home] += 1
            answers.append((new.home, revisions[new.home], False))
        for new, (_, revision, replayed) in zip(sent.records, answers, strict=True):
            if not replayed:
                self.stored[new.event_id] = (new, revision)
        self.revisions = revisions
        return answers

    def _is_another(self, new: NewRecord, sent: Batch) -> bool:
        if new.event_id not in self.stored or new.event_id in sent.known_replays:
            return False
        first, _ = self.stored[new.event_id]
        if new.occurred_at_us is None:
            return new.payload_sha256 != first.payload_sha256
        # One stored without a time has the ledger's, which is none that is sent here.
        return (new.payload_sha256, new.occurred_at_us) != (
            first.payload_sha256,
            first.occurred_at_us,
        )


@pytest.fixture(scope="module")
def journal(databases: DatabaseFactory, background: Background) -> Iterator[Journal]:
    database = databases.create()
    opened = background.run(Journal.connect(database.journal_dsn))
    background.run(opened.start())
    yield opened
    background.run(opened.close())
    databases.drop(database)


_examples = count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rounds=_ROUNDS)
def test_groups_answer_like_one_caller_after_the_other(
    journal: Journal, background: Background, rounds: list[list[Batch]]
) -> None:
    example = next(_examples)
    head = background.run(journal.head(JOURNAL)).head
    models: defaultdict[str, Model] = defaultdict(Model)
    for callers in rounds:
        sent = [replace(b, tenant=f"{b.tenant}-{example}") for b in callers]
        answers = background.run(_at_once(journal, sent))
        for one, answer in zip(sent, answers, strict=True):
            assert models[one.tenant].append(one) == _shape(answer)
    events = [e for e in background.run(all_events(journal)) if e.position > head]
    assert [e.position for e in events] == list(range(head + 1, head + 1 + len(events)))
    _assert_stored(models, events)


async def _at_once(journal: Journal, sent: list[Batch]) -> list[Any]:
    for tenant in {b.tenant for b in sent}:
        await journal.create_tenant(tenant, JOURNAL)
    return await asyncio.gather(*(journal.append(b) for b in sent), return_exceptions=True)


def _shape(answer: Any) -> list[Any]:
    if isinstance(answer, RevisionConflict):
        return [RevisionConflict, answer.event_id, answer.current]
    if isinstance(answer, BaseException):
        return [type(answer)]
    return [(recorded.home, recorded.revision, recorded.replayed) for recorded in answer]


def _assert_stored(models: dict[str, Model], events: list[StoredEvent]) -> None:
    expected = {
        (tenant, key): (new.payload, new.home, revision)
        for tenant, model in models.items()
        for key, (new, revision) in model.stored.items()
    }
    found = {(e.tenant, e.event_id): (e.payload, e.home, e.revision) for e in events}
    assert found == expected
