"""The mapping file: YAML, checked before the first row is read.

    source: crm-export              # part of every event id: change it and all rows are new
    file: {header: true, delimiter: ",", encoding: utf-8}
    identity: {column: message_id}  # absent: the number of the record
    event:
      kind: message.personal        # a plain value is a constant
      initiator: {column: author, case: lower, template: "people/{}"}
      counterpart: {column: text, pattern: '@(\\w+)', case: lower, template: "people/{}"}
      occurred_at: {column: sent, time: "%d.%m.%Y %H:%M", zone: Europe/Berlin}
      minutes.live: {column: 5, optional: true}
      initiative: {when: {column: inbound, equals: "True"}, then: REACTIVE, else: RESPONSIVE}

Columns are named by the header (or by `file.columns`), or numbered from 1. A value goes through
pattern, case, map, time and template, in this order.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

Scalar = str | int | bool


class MappingError(ValueError):
    """The mapping file cannot be used: where in it, and why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FileForm(_Model):
    """How the file is to be read."""

    encoding: str = "utf-8"
    # One character, or `whitespace`: any run of blanks and tabs, one record a line, no quoting.
    delimiter: Annotated[str, Field(pattern=r"^(.|whitespace)$")] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    header: bool = True
    # Without a header: how many columns a row has, or their names.
    columns: int | list[str] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.header and self.columns is None:
            raise ValueError("without a header, `columns` says how many there are or their names")
        if self.header and self.columns is not None:
            raise ValueError("with a header, its line says the columns; leave `columns` out")
        return self


class Condition(_Model):
    """True for rows whose column has a value. Exactly one of the three tests."""

    column: str | int
    equals: str | None = None
    one_of: list[str] | None = None
    matches: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(test is not None for test in (self.equals, self.one_of, self.matches)) != 1:
            raise ValueError("a condition has one of equals, one_of, matches")
        return self

    def holds(self, value: str) -> bool:
        """Whether the column's value passes."""
        if self.equals is not None:
            return value == self.equals
        if self.one_of is not None:
            return value in self.one_of
        assert self.matches is not None
        return re.search(self.matches, value) is not None


class Expression(_Model):
    """How a field gets its value: a constant, a column and what is done to it, or a choice."""

    constant: Scalar | None = None
    column: str | int | None = None
    # What is taken of the value: group 1, or the whole match without groups.
    pattern: str | None = None
    case: Literal["lower", "upper"] | None = None
    # From a value to another; a value that is not in it breaks the row, unless there is `default`.
    map: dict[str, Scalar] | None = None
    # `unix`, `unix_ms`, `iso`, or a format of strptime.
    time: str | None = None
    # For times that do not say theirs.
    zone: str = "UTC"
    # `{}` stands for the value.
    template: str | None = None
    # Instead of an empty, unmatched or unmapped value.
    default: Scalar | None = None
    # True: such a value leaves the field out. False: it breaks the row.
    optional: bool = False
    when: Condition | None = None
    then: "Value | None" = None
    otherwise: "Value | None" = Field(None, alias="else")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = sum(x is not None for x in (self.constant, self.column, self.when))
        if given != 1:
            raise ValueError("one of constant, column and when says where the value comes from")
        if self.when is not None and self.then is None and self.otherwise is None:
            raise ValueError("a choice needs `then` or `else`")
        if self.when is None and (self.then is not None or self.otherwise is not None):
            raise ValueError("`then` and `else` need `when`")
        if self.template is not None and self.template.count("{}") != 1:
            raise ValueError("a template holds {} once")
        if self.pattern is not None and self.compiled.groups > 1:
            raise ValueError("a pattern has at most one group; use (?:…) for the others")
        _ = self.time_zone
        return self

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        try:
            return re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"the pattern is no regular expression: {error}") from None

    @cached_property
    def time_zone(self) -> ZoneInfo:
        """The zone."""
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("there is no such time zone") from None


def _spelled_out(value: Any) -> Any:
    return {"constant": value} if isinstance(value, str | int | bool) else value


Value = Annotated[Expression, BeforeValidator(_spelled_out)]
Expression.model_rebuild()


class Mapping(_Model):
    """A whole mapping file."""

    source: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n]*$")]
    file: FileForm = FileForm()
    identity: Value | None = None
    type: str = "Touchpoint"
    event: dict[str, Value]


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file; raises MappingError naming every wrong key."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Mapping.model_validate(document)
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise MappingError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        wrong = [
            f"  {'.'.join(str(part) for part in item['loc']) or 'the file'}: {item['msg']}"
            for item in error.errors()
        ]
        raise MappingError("\n".join([f"{path} is not a mapping:", *wrong])) from None
