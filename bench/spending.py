"""CPU of the parts of a row, by the call or event: notes that a table of documents is made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.cpu import family, usage

# What the notes are called: of the subject's parts, and of the limit's.
CPU: Final = "cpu_us_"
LIMIT_CPU: Final = "limit_cpu_us_"
_US: Final = 1e6

type Pids = Callable[[], Iterable[int]]


def one(pid: int) -> Pids:
    """A process alone."""
    return lambda: [pid]


def server(pid: int) -> Pids:
    """A process with the children it has at that moment."""
    return lambda: family(pid)


@dataclass(slots=True)
class Spending:
    """Microseconds of CPU a call or event of named parts, measured over some calls each time."""

    parts: Mapping[str, Pids]
    taken: dict[str, list[float]] = field(default_factory=dict)

    def now(self) -> dict[str, float]:
        """Seconds of CPU every part has taken so far."""
        return {name: usage(pids()).all_s for name, pids in self.parts.items()}

    def add(self, before: Mapping[str, float], calls: int, **more_s: float) -> None:
        """What so many calls took since `before`; `more_s`: of parts that tell their own."""
        spent = {name: seconds - before[name] for name, seconds in self.now().items()} | more_s
        for name, seconds in spent.items():
            self.taken.setdefault(name, []).append(seconds / calls * _US)

    def notes(self, prefix: str = CPU) -> dict[str, float]:
        """Medians of all but the first time, which warms up."""
        return {prefix + name: median(values[1:] or values) for name, values in self.taken.items()}


def parts_of(notes: Mapping[str, float], prefix: str) -> dict[str, float]:
    """The CPU that notes tell, by part."""
    return {
        name.removeprefix(prefix): value for name, value in notes.items() if name.startswith(prefix)
    }


def ceiling(cpu_us: Sequence[float], cores: int) -> float:
    """Calls a second if all cores did nothing but these parts' work."""
    return cores * _US / sum(cpu_us)
