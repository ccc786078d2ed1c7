"""Weeks, as the domain counts them. Days and instants are those of services.runtime.clock.

A day is an integer since 2000-01-01 (a Saturday), negative before; all works from year 1 on.
"""

from typing import Final

from services.runtime.clock import US_PER_DAY, date_from_day, day_of

US_PER_HOUR: Final = US_PER_DAY // 24
# Monday, 1999-12-27 is day -5: the first day of week 0.
_MONDAY_OFFSET: Final = 5

__all__ = [
    "US_PER_DAY",
    "US_PER_HOUR",
    "day_of",
    "first_day_of_month",
    "first_day_of_week",
    "iso_week",
    "week_of",
]


def week_of(day: int) -> int:
    """The ISO week a day is in, as an integer: weeks since the one that begins on 1999-12-27."""
    return (day + _MONDAY_OFFSET) // 7


def first_day_of_week(week: int) -> int:
    """The Monday of a week."""
    return week * 7 - _MONDAY_OFFSET


def iso_week(day: int) -> tuple[int, int]:
    """The ISO year and week number (1 to 53) of a day; InvalidInstant outside years 1 to 9999."""
    year, week, _ = date_from_day(day).isocalendar()
    return year, week


def first_day_of_month(day: int) -> int:
    """The first day of a day's month (UTC); InvalidInstant outside years 1 to 9999."""
    return day - date_from_day(day).day + 1
