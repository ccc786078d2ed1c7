"""Days of the year that matter to somebody. Source: the domain contract, sections 1 and 3."""

from calendar import isleap
from dataclasses import dataclass
from datetime import MAXYEAR, date

from services.projector.domain.calendar import day_of
from services.runtime.clock import date_from_day, day_from_date


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedDate:
    """A day of a person: month and day, and the year it began in, where that is known.

    `instant_us` is when it was noted, not when it is. Its label is personal text and not here.
    """

    event_id: str
    position: int
    instant_us: int
    person: str
    month: int
    day: int
    year: int | None = None

    @property
    def noted_on(self) -> int:
        """The day it was noted."""
        return day_of(self.instant_us)

    def in_year(self, year: int) -> int | None:
        """The day it falls on in a year; None before it began and for no day of the calendar.

        Feb 29 falls on Feb 28 where there is none.
        """
        if self.year is not None and year < self.year:
            return None
        day = self.day
        if (self.month, day) == (2, 29) and not isleap(year):
            day = 28
        try:
            return day_from_date(date(year, self.month, day))
        except ValueError:
            return None

    def next_on(self, on: int) -> int | None:
        """When it comes next, the day itself included; None beyond year 9999."""
        this_year = date_from_day(on).year
        first = this_year if self.year is None else max(this_year, self.year)
        for year in range(first, min(first + 1, MAXYEAR) + 1):
            day = self.in_year(year)
            if day is not None and day >= on:
                return day
        return None
