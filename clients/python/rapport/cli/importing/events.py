"""From rows to events, as the mapping says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rapport.cli.event_json import ENVELOPE, EventJsonError, payload_fields, set_fields
from rapport.cli.importing.mapping import Expression, Mapping, MappingError
from rapport.cli.importing.rows import Record, TableFile
from rapport.ids import derived_event_id
from rapport.v1 import ledger_service_pb2 as ledger

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE: Final = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}

type Cells = list[str]
type Read = Callable[[Cells], Any]


class RowProblem(ValueError):  # noqa: N818 - rows have problems, the program none
    """A row that makes no event: which field of the event, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field: Final = field
        self.reason: Final = reason


class Rule:
    """A mapping put to a file: makes events of its records."""

    def __init__(self, mapping: Mapping, table: TableFile, *, source: str | None = None) -> None:
        """Raises MappingError for columns the file and fields the event do not have."""
        self._source = source or mapping.source
        self._table = table
        field = payload_fields().get(mapping.type)
        if field is None:
            raise MappingError(f"type: one of {', '.join(sorted(payload_fields()))}")
        self._payload = field.name
        assert field.message_type is not None
        self._identity = self._reader(mapping.identity) if mapping.identity is not None else None
        self._prototype = ledger.NewEvent()
        getattr(self._prototype, self._payload).SetInParent()
        self._reads: list[tuple[str, Read]] = []
        for path, expression in mapping.event.items():
            self._add(path, expression, field.message_type)

    def event(self, record: Record) -> ledger.NewEvent:
        """The event of a record, its id derived from the source and the row's identity.

        Raises RowProblem.
        """
        if record.broken:
            raise RowProblem("", record.broken)
        identity: Any = record.number
        if self._identity is not None:
            identity = self._value("identity", self._identity, record.cells)
            if identity is None:
                raise RowProblem("identity", "empty")
        event = ledger.NewEvent()
        event.CopyFrom(self._prototype)
        event.event_id = derived_event_id(self._source, str(identity))
        for path, read in self._reads:
            value = self._value(path, read, record.cells)
            if value is not None:
                _put(event, self._payload, path, value)
        return event

    def _add(self, path: str, expression: Expression, payload: Descriptor) -> None:
        convert = _conversion(_leaf(path, payload))
        if expression.constant is not None:
            try:
                _put(self._prototype, self._payload, path, convert(expression.constant))
            except (RowProblem, ValueError) as problem:
                raise MappingError(f"event.{path}: {problem}") from None
            return
        read = self._reader(expression)

        def converted(cells: Cells) -> Any:
            value = read(cells)
            return None if value is None else convert(value)

        self._reads.append((path, converted))

    @staticmethod
    def _value(path: str, read: Read, cells: Cells) -> Any:
        try:
            return read(cells)
        except RowProblem:
            raise
        except (ValueError, OverflowError) as problem:
            raise RowProblem(path, str(problem)) from None

    def _reader(self, expression: Expression) -> Read:
        if expression.constant is not None:
            constant = expression.constant
            return lambda _: constant
        if expression.when is not None:
            condition = expression.when
            test = self._table.index_of(condition.column)
            then = self._reader(expression.then) if expression.then else _nothing
            otherwise = self._reader(expression.otherwise) if expression.otherwise else _nothing
            return lambda cells: then(cells) if condition.holds(cells[test]) else otherwise(cells)
        assert expression.column is not None
        index = self._table.index_of(expression.column)
        return lambda cells: _evaluated(expression, cells[index])


def _nothing(_: Cells) -> None:
    return None


def _evaluated(expression: Expression, text: str) -> Any:
    """A cell through pattern, case, map, time and template; None leaves the field out."""
    value: Any = text
    missing = "empty"
    if expression.pattern is not None:
        found = expression.compiled.search(text)
        value = (found[1] if expression.compiled.groups else found[0]) if found else ""
        missing = "nothing in it matches the pattern"
    if expression.case is not None and value:
        value = value.lower() if expression.case == "lower" else value.upper()
    if expression.map is not None and value:
        value = expression.map.get(value, "")
        missing = "not in the map"
    if value == "" or value is None:
        if expression.default is not None:
            return expression.default
        if expression.optional:
            return None
        raise ValueError(missing)
    if expression.time is not None:
        return _instant(expression, str(value))
    return expression.template.replace("{}", str(value)) if expression.template else value


def _instant(expression: Expression, text: str) -> datetime:
    form = expression.time
    if form in {"unix", "unix_ms"}:
        try:
            microseconds = int(Decimal(text) * (1_000_000 if form == "unix" else 1_000))
        except (InvalidOperation, ValueError):
            raise ValueError("not a number of seconds" if form == "unix" else "no number") from None
        return _EPOCH + timedelta(microseconds=microseconds)
    try:
        when = (
            datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form or "")  # noqa: DTZ007 - the zone follows
        )
    except ValueError:
        raise ValueError(f"not a time of the form {form}") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=expression.time_zone)


def _leaf(path: str, payload: Descriptor) -> FieldDescriptor | None:
    """The field a dotted path ends at; None for an entry of a map. Raises MappingError."""
    descriptor = ledger.NewEvent.DESCRIPTOR if path in ENVELOPE else payload
    parts = path.split(".")
    if path == "event_id":
        raise MappingError("event.event_id: it is derived from the source and the row's identity")
    for position, part in enumerate(parts):
        field = descriptor.fields_by_name.get(part)
        if field is None:
            raise MappingError(f"event.{path}: {descriptor.name} has no field {part}")
        if position == len(parts) - 1:
            return field
        kind = field.message_type
        if kind is None:
            raise MappingError(f"event.{path}: {part} has no fields")
        if kind.GetOptions().map_entry:
            return None
        descriptor = kind
    raise AssertionError("a path has parts")


def _conversion(field: FieldDescriptor | None) -> Callable[[Any], Any]:
    """From a cell's text to what the field takes."""
    if field is None or field.message_type is not None or field.enum_type is not None:
        return lambda value: value
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return str
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _truth
    return _whole


def _truth(value: Any) -> bool:
    found = _TRUE.get(str(value).lower())
    if found is None:
        raise ValueError("not true or false")
    return found


def _whole(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("not a whole number") from None


def _put(event: ledger.NewEvent, payload: str, path: str, value: Any) -> None:
    """Sets one field of the event by its dotted path."""
    message = event if path in ENVELOPE else getattr(event, payload)
    *above, last = path.split(".")
    document = {last: value}
    for part in reversed(above):
        document = {part: document}
    try:
        set_fields(message, document, "")
    except EventJsonError as problem:
        raise RowProblem(problem.field, problem.description) from None
