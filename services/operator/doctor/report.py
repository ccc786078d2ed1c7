"""What the doctor found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.operator.outcomes import EXIT_DIFFERENCES, EXIT_OK, EXIT_UNAVAILABLE

type Fact = str | int | bool | None


class Verdict(StrEnum):
    """How a comparison ended."""

    CLEAN = "clean"
    DIFFERENT = "different"
    # Something could not be reached or did not get on; nothing is known.
    UNAVAILABLE = "unavailable"
    # Not asked for, or pointless after an earlier difference.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it should be: what, where, and both sides.

    Holds ids, names of resources, numbers and hashes, never a text about somebody.
    """

    what: str
    position: int | None = None
    where: str = ""
    expected: Fact = None
    found: Fact = None

    @property
    def is_placed(self) -> bool:
        """Whether it says where it is."""
        return self.position is not None or bool(self.where)

    def __str__(self) -> str:
        place = f"position {self.position}" if self.position is not None else ""
        place = ", ".join(part for part in (place, self.where) if part)
        sides = ""
        if self.expected is not None or self.found is not None:
            sides = f" (expected {_shown(self.expected)}, found {_shown(self.found)})"
        return (f"{place}: " if place else "") + self.what + sides


@dataclass(slots=True)
class Check:
    """One comparison. `facts`: counts, heads, rolling hashes. `notes`: what is no difference."""

    name: str
    verdict: Verdict = Verdict.CLEAN
    facts: dict[str, Fact] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    difference: Difference | None = None

    def differ(self, difference: Difference) -> None:
        """Note a difference; only the first one stays."""
        if self.difference is None:
            self.difference = difference
            self.verdict = Verdict.DIFFERENT

    def fail(self, why: str) -> None:
        """Note that the comparison could not be made."""
        if self.verdict is Verdict.CLEAN:
            self.verdict = Verdict.UNAVAILABLE
        self.notes.append(why)

    def skip(self, why: str) -> None:
        """Note that the comparison was not made."""
        self.verdict = Verdict.SKIPPED
        self.notes.append(why)

    def document(self) -> Mapping[str, Any]:
        """As plain data for JSON."""
        found: dict[str, Any] = {
            "name": self.name,
            "verdict": self.verdict.value,
            "facts": self.facts,
            "notes": self.notes,
        }
        if self.difference is not None:
            found["difference"] = {
                "text": str(self.difference),
                "what": self.difference.what,
                "position": self.difference.position,
                "where": self.difference.where or None,
                "expected": self.difference.expected,
                "found": self.difference.found,
            }
        return found


@dataclass(slots=True)
class JournalReport:
    """One journal: checks in the order they were made."""

    journal: str
    checks: list[Check] = field(default_factory=list)

    def check(self, name: str) -> Check:
        """Begin another check."""
        self.checks.append(Check(name))
        return self.checks[-1]


@dataclass(slots=True)
class Report:
    """Everything compared."""

    deep: bool
    journals: list[JournalReport] = field(default_factory=list)
    key_store: Check = field(default_factory=lambda: Check("key store"))

    def checks(self) -> Iterator[tuple[str, Check]]:
        """Every check with its journal ('' for those of the whole installation), in order."""
        for journal in self.journals:
            for check in journal.checks:
                yield journal.journal, check
        yield "", self.key_store

    @property
    def first(self) -> tuple[str, Check] | None:
        """The first check that differs, with its journal; one that says where, if there is one."""
        differing = [found for found in self.checks() if found[1].difference]
        return next(
            (found for found in differing if found[1].difference and found[1].difference.is_placed),
            differing[0] if differing else None,
        )

    @property
    def exit_code(self) -> int:
        """4 with any difference, 3 when something could not be compared, else 0."""
        verdicts = {check.verdict for _, check in self.checks()}
        if Verdict.DIFFERENT in verdicts:
            return EXIT_DIFFERENCES
        return EXIT_UNAVAILABLE if Verdict.UNAVAILABLE in verdicts else EXIT_OK

    def document(self) -> Mapping[str, Any]:
        """As plain data for JSON."""
        first = self.first
        return {
            "clean": self.exit_code == EXIT_OK,
            "deep": self.deep,
            "first_difference": None
            if first is None
            else {"journal": first[0] or None, **first[1].document()},
            "journals": [
                {"journal": j.journal, "checks": [check.document() for check in j.checks]}
                for j in self.journals
            ],
            "key_store": self.key_store.document(),
        }


def _shown(fact: Fact) -> str:
    return "nothing" if fact is None else str(fact)
