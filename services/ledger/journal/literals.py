"""Columns of a group as array literals.

The driver encodes an array element by element, at half a microsecond each, and a group has twenty
columns; joined as text they cost it a tenth of that, and PostgreSQL little to read.
"""

from collections.abc import Iterable, Sequence


def numbers(values: Iterable[int]) -> str:
    """A literal of whole numbers."""
    return f"{{{','.join(map(str, values))}}}"


def numbers_or_null(values: Iterable[int | None]) -> str:
    """A literal of whole numbers and NULLs."""
    return f"{{{','.join('NULL' if v is None else str(v) for v in values)}}}"


def flags(values: Iterable[bool]) -> str:
    """A literal of booleans."""
    return f"{{{','.join('t' if value else 'f' for value in values)}}}"


def names(values: Sequence[str]) -> str:
    """A literal of names: text that the domain's patterns let through, without `"` and `\\`."""
    return f'{{"{'","'.join(values)}"}}' if values else "{}"


def names_or_null(values: Iterable[str | None]) -> str:
    """A literal of such names and NULLs."""
    return f"{{{','.join('NULL' if v is None else f'"{v}"' for v in values)}}}"


def digests(values: Iterable[bytes]) -> str:
    """A literal of a bytea array."""
    return f"{{{','.join(f'"\\\\x{value.hex()}"' for value in values)}}}"
