"""JSON logs in which nothing personal can stand, by construction.

One line is one JSON object. What may be in it is a list of known keys, each with the form its
values must have: numbers, ids without people in them, short code-like words. Names of people,
homes, principals (an id may be an e-mail address), texts and messages of exceptions have no key.
A key that is not on the list is left out and named in `dropped`, a value of another form becomes
`[withheld]`, and an event that is not short plain words becomes `unnamed`; a test reads every
logging call of the services, so that a mistake fails there and not at night.

Exceptions are logged as their classes, SQLSTATE and the places of their traceback: messages may
quote what was bound to a statement. A class that promises to quote nothing personal says so with
`safe_message = True`. Records of other libraries keep module, level, place and exception only.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog

WITHHELD: Final = "[withheld]"
TRACEBACK_FRAMES_MAX: Final = 30
CAUSES_MAX: Final = 5

_EVENT: Final = re.compile(r"[a-z0-9][a-zA-Z0-9 _.,:;()/-]{0,119}")
# Words of the code and of configuration: no spaces, so no sentence; no @, so no address.
_WORD: Final = re.compile(r"[A-Za-z0-9_.:/*+\[\]-]{1,200}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_NUMBER_KEYS: Final = frozenset(
    {
        "after_ms", "applied", "attempt", "behind", "bytes", "callers", "checkpoint", "count",
        "days", "delay_ms", "duration_ms", "erased", "events", "exit_code", "expected", "failures",
        "first_position", "from_position", "group_size", "head", "keys", "lag_ms", "last_position",
        "limit", "messages", "pid", "port", "position", "read_through_position", "rebuilt",
        "relationships", "replayed", "revision", "rows", "sequence", "size", "stream_position",
        "streams", "subscribers", "tenants", "timeout_ms", "to_position", "version", "waiting",
    }
)  # fmt: skip
_WORD_KEYS: Final = frozenset(
    {
        "application", "code", "error_class", "grpc_method", "host", "incarnation", "journal",
        "kind", "method", "migration", "migrations", "name_of_task", "payload_type", "policy",
        "projection", "reason", "schema", "service", "signal", "source", "sqlstate", "state",
        "stage", "step", "stream", "task", "tenant", "type", "what",
    }
)  # fmt: skip
_ID_KEYS: Final = frozenset({"event_id", "causation_event_id", "request_id"})
ALLOWED_KEYS: Final = _NUMBER_KEYS | _WORD_KEYS | _ID_KEYS

type Line = MutableMapping[str, Any]


def configure(service: str, *, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log of this process, structlog's and the standard library's, to `stream` as JSON.

    `stream` is standard output unless given; `level` is debug, info, warning, error or critical.
    Call it once, before anything logs.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    target = sys.stdout if stream is None else stream
    render = structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=True)

    def finish(logger: Any, method: str, line: Line) -> str | bytes:
        return render(logger, method, only_known({**line, "service": service}))

    structlog.configure(
        processors=[structlog.processors.add_log_level, finish],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    foreign_level = max(number, logging.WARNING)
    logging.basicConfig(level=foreign_level, handlers=[_ForeignHandler()], force=True)
    logging.captureWarnings(True)


def get_logger(module: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that puts the name of its module on every line: `get_logger(__name__)`."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=module)
    return bound


def is_event(text: str) -> bool:
    """Whether `text` may be the event of a line: up to 120 characters of plain words."""
    return _EVENT.fullmatch(text) is not None


def only_known(line: Line) -> dict[str, Any]:
    """What of a line may be written; see the module for the rules."""
    event = line.get("event")
    known: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": _word(line.get("level")),
        "event": event if isinstance(event, str) and is_event(event) else "unnamed",
        "module": _word(line.get("module")),
    }
    dropped = []
    for key, value in line.items():
        if key in _NUMBER_KEYS:
            known[key] = value if isinstance(value, int | float) else _absent_or_withheld(value)
        elif key in _WORD_KEYS:
            known[key] = _words(value)
        elif key in _ID_KEYS:
            text = str(value)
            known[key] = text if _UUID.fullmatch(text) else _absent_or_withheld(value)
        elif key not in {"event", "level", "module", "exc_info", "exception"}:
            dropped.append(_word(key))
    if dropped:
        known["dropped"] = sorted(dropped)
    error = _error_of(line.get("exc_info") or line.get("exception"))
    if error is not None:
        known["exception"] = describe(error)
    return known


def describe(error: BaseException) -> dict[str, Any]:
    """An exception without anything it was called with: classes, SQLSTATE, places, causes.

    A place is `file:line function`, the innermost last, at most 30. The message is there only for
    classes with `safe_message = True`.
    """
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain and len(chain) < CAUSES_MAX:
        chain.append(current)
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    described = _describe_one(error)
    if len(chain) > 1:
        described["causes"] = [_describe_one(cause) for cause in chain[1:]]
    if isinstance(error, BaseExceptionGroup):
        described["errors"] = [_describe_one(each) for each in error.exceptions[:CAUSES_MAX]]
    return described


def _describe_one(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    described: dict[str, Any] = {"class": f"{kind.__module__}.{kind.__qualname__}"}
    for name in ("sqlstate", "schema_name", "table_name", "constraint_name", "errno"):
        value = getattr(error, name, None)
        if isinstance(value, int | str):
            described[name] = _word(value)
    if getattr(kind, "safe_message", False) is True:
        described["message"] = str(error)
    frames = traceback.extract_tb(error.__traceback__)[-TRACEBACK_FRAMES_MAX:]
    described["traceback"] = [f"{f.filename}:{f.lineno} {f.name}" for f in frames]
    return described


class _ForeignHandler(logging.Handler):
    """Records of other libraries: where and how bad, without their message, which may quote."""

    def __init__(self) -> None:
        super().__init__()
        self._log = structlog.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; never raises, as logging asks of handlers."""
        try:
            method = record.levelname.lower() if record.levelno >= logging.INFO else "debug"
            error = record.exc_info[1] if record.exc_info else None
            self._log.bind(module=record.name).log(
                getattr(logging, method.upper(), logging.INFO),
                "record of a library",
                source=f"{record.module}:{record.lineno}",
                exc_info=error,
            )
        except Exception:  # noqa: BLE001 - a broken log must not break what it reports on
            self.handleError(record)


def _error_of(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exception() if exc_info is True else None


def _word(value: object) -> str:
    text = str(value)
    return text if _WORD.fullmatch(text) else _absent_or_withheld(value) or "none"


def _words(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_word(each) for each in value]
    return value if value is None or isinstance(value, bool | int) else _word(value)


def _absent_or_withheld(value: object) -> str | None:
    return None if value is None else WITHHELD
