"""Numbers in sentences."""


def counted(number: int, one: str) -> str:
    """A number of things that take an s: `1 day`, `2 days`."""
    return f"{number} {one}" if abs(number) == 1 else f"{number} {one}s"


def points(mp: int) -> str:
    """Milli-points as points, exactly: 12345 → `12.345`, as everywhere people read them."""
    sign = "-" if mp < 0 else ""
    return f"{sign}{abs(mp) // 1000:,}.{abs(mp) % 1000:03}"
