"""Valid histories of a torture run, made by a toy ledger in memory; and how to break them."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any, Final, Literal
from uuid import UUID

from google.protobuf.message import Message
from rapport.events.v1 import touchpoint_pb2

from services.projector.domain.facts import pair_of
from tests.faults.torture.checker_folds import TenantFold
from tests.faults.torture.records import (
    Acknowledged,
    Answer,
    AnyRecord,
    BalanceAnswer,
    Definite,
    End,
    Ended,
    Fault,
    FinalBalance,
    Invoke,
    JournalRow,
    Ok,
    Op,
    Operator,
    ParkedRow,
    Planted,
    Received,
    Record,
    Run,
    Sent,
    Standing,
    StandingsAnswer,
    StreamInfo,
    StreamRow,
    Subscribed,
    TimelineAnswer,
    Unknown,
)
from tests.support.deliveries import RECORDED_US, TODAY

JOURNAL: Final = "torture-1"
TENANT: Final = "tenant-1"
REPLICAS: Final = ("projector-1", "projector-2")
_KINDS: Final = ("call", "meal_or_social", "social.like", "social.comment", "thanks.given")
_DAY_US: Final = 86_400_000_000

type Payload = tuple[str, str, bytes, int]


@dataclass(slots=True)
class Toy:
    """A ledger, its stream and its projectors, all of which keep every promise."""

    random: Random
    people: int = 4
    records: list[Any] = field(default_factory=list)
    rows: list[JournalRow] = field(default_factory=list)
    _revisions: dict[str, int] = field(default_factory=dict)
    _at: dict[str, JournalRow] = field(default_factory=dict)
    _touched: list[str] = field(default_factory=list)
    _fold: TenantFold = field(default_factory=TenantFold)
    _subscribed: dict[str, int] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def say(self, record: Any) -> None:
        """Write a record."""
        n = len(self.records) + 1
        self.records.append(replace(record, n=n, t_us=n))

    def next(self, what: str) -> int:
        """1, 2, 3 …"""
        self._numbers[what] = self._numbers.get(what, 0) + 1
        return self._numbers[what]

    def begin(self) -> None:
        """The run's first record."""
        self.say(
            Run(
                seed=1,
                minutes=3,
                started_at="2026-06-01T00:00:00Z",
                nats="single",
                journals=(JOURNAL,),
                replicas=REPLICAS,
                keeps_everything=True,
            )
        )

    def new_event(self) -> tuple[Sent, Payload]:
        """An event that nobody has sent: mostly a touchpoint, now and then a void of one."""
        event_id = str(UUID(int=2**100 + self.next("event")))
        if self._touched and self.random.random() < 0.1:
            target = self.random.choice(self._touched)
            row = self._at[target]
            message: Message = touchpoint_pb2.Voided(target=target)
            return self._sent(event_id, row.home, message, RECORDED_US)
        a, b = self.random.sample(range(self.people), 2)
        kind = self.random.choice(_KINDS)
        message = touchpoint_pb2.Touchpoint(
            initiator=f"people/p{a}", counterpart=f"people/p{b}", kind=kind
        )
        first, second = pair_of(f"p{a}", f"p{b}")
        at_us = RECORDED_US - self.random.randrange(90) * _DAY_US
        return self._sent(event_id, f"relationships/{first}~{second}", message, at_us)

    def _sent(self, event_id: str, home: str, message: Message, at_us: int) -> tuple[Sent, Payload]:
        body = message.SerializeToString(deterministic=True)
        sent = Sent(
            event_id=event_id,
            home=home,
            event_type=message.DESCRIPTOR.full_name,
            kind=getattr(message, "kind", None),
            occurred_at_us=at_us,
            sha256=sha256(body).hexdigest(),
        )
        return sent, (event_id, message.DESCRIPTOR.full_name, body, at_us)

    def conditional(self, sent: Sent) -> Sent:
        """The same on the condition that holds now."""
        return replace(sent, expected_revision=self._revisions.get(sent.home, 0))

    def invoke(self, op: Op, **fields: Any) -> int:
        """A call is sent; its number."""
        call = self.next("call")
        known: dict[str, Any] = {"client": "c1", "attempt": 1, "request": call}
        fields = known | fields
        self.say(Invoke(call=call, op=op, journal=JOURNAL, tenant=TENANT, **fields))
        return call

    def write(self, batch: Iterable[tuple[Sent, Payload]]) -> tuple[Acknowledged, ...]:
        """Write a batch, or find it written; what is to be told."""
        told = []
        for sent, (event_id, event_type, body, at_us) in batch:
            replayed = event_id in self._at
            if not replayed:
                self._store(sent, event_type, body, at_us)
            row = self._at[event_id]
            told.append(
                Acknowledged(
                    event_id=event_id,
                    position=row.position,
                    revision=row.revision,
                    replayed=replayed,
                )
            )
        return tuple(told)

    def _store(self, sent: Sent, event_type: str, body: bytes, at_us: int) -> None:
        revision = self._revisions[sent.home] = self._revisions.get(sent.home, 0) + 1
        position = len(self.rows) + 1
        row = JournalRow(
            journal=JOURNAL,
            position=position,
            tenant=TENANT,
            event_id=sent.event_id,
            event_type=event_type,
            kind=sent.kind,
            home=sent.home,
            revision=revision,
            occurred_at_us=at_us,
            recorded_at_us=RECORDED_US + position * 10,
            sha256=sha256(body).hexdigest(),
            payload_b64=b64encode(body).decode(),
        )
        self.rows.append(row)
        self._at[sent.event_id] = row
        self._fold.tell(row)
        if event_type.endswith("Touchpoint"):
            self._touched.append(sent.event_id)

    def append(self, count: int = 1, trouble: str = "") -> None:
        """A request until it is acknowledged, its first attempt in a trouble or none."""
        batch = [self.new_event() for _ in range(count)]
        if self.random.random() < 0.5:
            batch[0] = self.conditional(batch[0][0]), batch[0][1]
        events = tuple(sent for sent, _ in batch)
        call = self.invoke("append", events=events)
        if trouble == "definite":
            self.say(Definite(call=call, reason="LEDGER_BUSY"))
        elif trouble in ("unknown", "written"):
            if trouble == "written":
                self.write(batch)
            self.say(Unknown(call=call, reason="OUTCOME_UNKNOWN"))
        if trouble:
            call = self.invoke("append", events=events, attempt=2, request=call)
        self.say(Ok(call=call, events=self.write(batch)))

    def refuse(self) -> None:
        """A request that is given up after a definite error."""
        call = self.invoke("append", events=(self.new_event()[0],))
        self.say(Definite(call=call, reason="REVISION_CONFLICT"))

    def read(self, op: Op, client: str = "c1") -> None:
        """A read of the newest position."""
        a, b = (f"people/p{n}" for n in self.random.sample(range(self.people), 2))
        head = len(self.rows)
        asked = {"min_position": head, "on_day": TODAY, "a": a, "b": b, "client": client}
        call = self.invoke(op, **asked)
        target = self.random.choice(REPLICAS)
        answer = self._answer(op, a, b)
        self.say(Ok(call=call, position=head, target=target, answer=answer))

    def _answer(self, op: Op, a: str, b: str) -> Answer:
        know_mp, care_mp, buffer_mp = self._fold.balance(a, b, TODAY)
        if op == "timeline":
            ids, states = self._fold.timeline(a, b, 5)
            return TimelineAnswer(event_ids=ids, limit=5, states=states)
        if op == "standings":
            found = self._fold.standings(TODAY)[:4]
            pairs = tuple(Standing(a=a, b=b, buffer_mp=each_mp) for each_mp, a, b in found)
            return StandingsAnswer(limit=4, pairs=pairs)
        return BalanceAnswer(know_mp=know_mp, care_mp=care_mp, buffer_mp=buffer_mp)

    def receive(self, name: str, source: Literal["nats", "ledger"], at_most: int = 5) -> None:
        """A subscription goes on for some events, then breaks off."""
        done = self._subscribed.get(name, 0)
        subscribed = Subscribed(
            subscription=name, source=source, journal=JOURNAL, from_position=done + 1
        )
        self.say(subscribed)
        for row in self.rows[done : done + at_most]:
            self.say(
                Received(
                    subscription=name,
                    position=row.position,
                    event_id=row.event_id,
                    sha256=row.sha256,
                )
            )
            self._subscribed[name] = row.position
        self.say(Ended(subscription=name, reason="UNAVAILABLE"))

    def plant(self) -> None:
        """A poison event, written beside the ledger."""
        sent, (event_id, _, _, at_us) = self.new_event()
        self.say(Planted(event_id=event_id))
        poison = replace(sent, home="people/x", sha256=sha256(b"\xff").hexdigest())
        self._store(poison, "rapport.events.v1.PartyDescribed", b"\xff", at_us)

    def fault(self) -> None:
        """Something breaks, and is mended."""
        self.say(Fault(name="kill", target="ledger-1", phase="begin"))
        self.say(Fault(name="kill", target="ledger-1", phase="end"))

    def diverge(self) -> None:
        """Something foreign comes into the stream, and the operator makes it anew."""
        for phase in ("begin", "end"):
            name, detail = "nats-foreign-message", {"journal": JOURNAL}
            self.say(Fault(name=name, target="stream", phase=phase, detail=detail))
        for outcome in (None, "done"):
            command = f"rapport stream rebuild --journal {JOURNAL}"
            self.say(Operator(command=command, journal=JOURNAL, outcome=outcome))

    def settle(self) -> None:
        """What stands at the end."""
        for row in self.rows:
            self.say(row)
        head = len(self.rows)
        self.say(StreamInfo(journal=JOURNAL, first_sequence=1, last_sequence=head))
        for row in self.rows:
            self.say(
                StreamRow(
                    journal=JOURNAL,
                    sequence=row.position,
                    position_header=row.position,
                    event_id=row.event_id,
                    sha256=row.sha256,
                )
            )
        for replica in REPLICAS:
            for a, b in sorted(self._fold.relationships()):
                know_mp, care_mp, buffer_mp = self._fold.balance(a, b, TODAY)
                self.say(
                    FinalBalance(
                        journal=JOURNAL,
                        tenant=TENANT,
                        replica=replica,
                        a=a,
                        b=b,
                        on_day=TODAY,
                        know_mp=know_mp,
                        care_mp=care_mp,
                        buffer_mp=buffer_mp,
                        position=head,
                    )
                )
        for record in [each for each in self.records if isinstance(each, Planted)]:
            row = self._at[record.event_id]
            self.say(
                ParkedRow(
                    journal=JOURNAL,
                    position=row.position,
                    event_id=row.event_id,
                    reason="the payload cannot be decoded",
                )
            )
        self.say(End(settled=True))


def valid_history(seed: int, steps: int = 30) -> list[AnyRecord]:
    """A history of everything that may happen, in an order of the seed's; each at least once."""
    toy = Toy(Random(seed))
    actions: list[Callable[[], None]] = [
        lambda: toy.append(1),
        lambda: toy.append(3),
        lambda: toy.append(2, "definite"),
        lambda: toy.append(2, "unknown"),
        lambda: toy.append(2, "written"),
        toy.refuse,
        lambda: toy.read("balance"),
        lambda: toy.read("timeline", "c2"),
        lambda: toy.read("standings"),
        lambda: toy.receive("s1", "nats"),
        lambda: toy.receive("s2", "ledger"),
        toy.fault,
        toy.plant,
        toy.diverge,
    ]
    toy.begin()
    toy.append(2)
    for action in actions:
        action()
    for _ in range(steps):
        toy.random.choice(actions)()
    toy.append(2)
    toy.append(1)
    toy.read("balance")
    toy.receive("s1", "nats", at_most=1000)
    toy.settle()
    return toy.records


def renumbered(records: Iterable[Record]) -> list[Any]:
    """The same with numbers and times in order again."""
    return [replace(record, n=n, t_us=n) for n, record in enumerate(records, start=1)]
