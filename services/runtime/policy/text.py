"""From text to plain data: JSON, or the plain part of YAML that says the same.

What a reader could take two ways is refused: a key given twice, an anchor, a number that is not
finite. Keys become text, dates YYYY-MM-DD text and lists tuples, as the hash wants them.
"""

import json
from datetime import date, datetime
from typing import Any, NoReturn

import yaml

from services.runtime.limits import POLICY_BYTES_MAX
from services.runtime.policy.errors import Fault, PolicyError, path_of

type Plain = str | int | float | bool | tuple[Plain, ...] | dict[str, Plain] | None


def plain_from_text(text: str, *, json_only: bool = False) -> dict[str, Plain]:
    """The document in `text` as plain data.

    JSON when the first character is `{`, else YAML unless `json_only`. Raises PolicyError for a
    text beyond 128 KiB of UTF-8 or that is not one mapping.
    """
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        _refuse("is not Unicode text")
    if size_bytes > POLICY_BYTES_MAX:
        _refuse(f"is longer than {POLICY_BYTES_MAX} bytes")
    is_json = json_only or text.lstrip().startswith("{")
    try:
        loaded = _load_json(text) if is_json else _load_yaml(text)
        document = _plain(loaded, ())
    except RecursionError:
        _refuse("is nested too deep")
    if not isinstance(document, dict):
        _refuse("is not a mapping")
    return document


def _refuse(message: str, path: str = "policy") -> NoReturn:
    raise PolicyError([Fault(path, message)])


def _load_json(text: str) -> object:
    def no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
        mapping = dict(pairs)
        if len(mapping) != len(pairs):
            _refuse("has a key twice")
        return mapping

    try:
        return json.loads(text, object_pairs_hook=no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}")
    except PolicyError:
        raise
    except ValueError:  # a number of thousands of digits
        _refuse("is not JSON: a number is too long")


def _no_constant(name: str) -> NoReturn:
    _refuse(f"has the number {name}, which JSON does not know")


class _Loader(yaml.SafeLoader):
    """YAML without anchors and without keys given twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="anchors are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            raise yaml.MarkedYAMLError(problem="a key is given twice", problem_mark=node.start_mark)
        return mapping


def _load_yaml(text: str) -> object:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        _refuse(f"is not YAML: {error.problem or error.context}{where}")
    except (yaml.YAMLError, ValueError, TypeError, AttributeError):
        _refuse("is not YAML")


def _plain(value: object, parts: tuple[str | int, ...]) -> Plain:
    if isinstance(value, dict):
        mapping = {_key(k, parts): _plain(item, (*parts, str(k))) for k, item in value.items()}
        if len(mapping) != len(value):  # 1 and "1"
            _refuse("has a key twice", path_of(parts))
        return mapping
    if isinstance(value, list):
        return tuple(_plain(item, (*parts, index)) for index, item in enumerate(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float):
        return value
    _refuse(f"cannot be a {type(value).__name__}", path_of(parts))


def _key(key: object, parts: tuple[str | int, ...]) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    _refuse("a key is text or a whole number", path_of(parts))
