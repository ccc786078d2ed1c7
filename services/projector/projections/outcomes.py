"""How applying a batch can end other than well."""

from dataclasses import dataclass

import asyncpg

from services.projector.facts import UnreadableFact

# Classes of SQLSTATE that blame the data: data exception, integrity violation, program limit.
_POISON_SQLSTATES = ("22", "23", "54")


class CheckpointElsewhere(Exception):  # noqa: N818 - says where it is, not what is wrong
    """The batch does not follow on the checkpoint: there is a hole, or the checkpoint was moved.

    Nothing was written. Continue with the event after `position`.
    """

    def __init__(self, position: int) -> None:
        super().__init__(f"the checkpoint is at {position}")
        self.position = position


class IncarnationChanged(Exception):  # noqa: N818 - says what happened
    """The journal was restored to an earlier point: these views are of another history.

    Nothing was written, and nothing will be until the views are rebuilt.
    """

    def __init__(self, journal: str, stored: str, seen: str) -> None:
        super().__init__(
            f"journal {journal} has incarnation {seen}, its views are of {stored}: "
            f"run `rapport views rebuild`"
        )
        self.journal = journal
        self.stored = stored
        self.seen = seen


# TimeoutError is an OSError too.
_NOT_THE_EVENT = (
    OSError,
    MemoryError,
    asyncpg.InternalClientError,
    CheckpointElsewhere,
    IncarnationChanged,
)


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that was put aside, and why (no personal data in `reason`)."""

    position: int
    event_id: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch: the checkpoint now, how many events this call applied or parked.

    `recorded_at_us` is that of the event at `position`. `parked_total` counts the parked events
    of the journal. `stopped`: more are parked than may be, so the batch was not applied beyond
    `position`.
    """

    position: int
    recorded_at_us: int
    events: int
    parked: tuple[Parked, ...]
    parked_total: int
    stopped: bool


def is_poison(error: Exception) -> bool:
    """Whether an error blames the event, not the database, the network or the schema."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith(_POISON_SQLSTATES)
    if isinstance(error, asyncpg.InterfaceError):
        return isinstance(error, ValueError)  # a value the driver cannot send
    return not isinstance(error, _NOT_THE_EVENT)


def reason_of(error: Exception) -> str:
    """Why an event was parked, for operators: without the text of messages that may quote it."""
    if isinstance(error, UnreadableFact):
        return str(error)
    name = type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        constraint = getattr(error, "constraint_name", None)
        return f"{name} {error.sqlstate}" + (f" ({constraint})" if constraint else "")
    traceback = error.__traceback__
    where = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if "/services/" in code.co_filename:
            module = code.co_filename.rsplit("/services/", 1)[1]
            where = f" at services/{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return f"{name}{where}"
