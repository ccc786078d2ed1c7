"""What is wrong with a policy document."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

FAULTS_MAX: Final = 100
# A key from outside may be as long as the document.
PART_LENGTH_MAX: Final = 100


class Fault(NamedTuple):
    """One thing wrong: where (a path such as `kinds["call"].half_life_days`) and what."""

    path: str
    message: str


class PolicyError(ValueError):
    """The document is no policy. `faults` lists what is wrong, in document order, 1 to 100."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        assert faults, "a refusal says why"
        self.faults = tuple(faults[:FAULTS_MAX])
        super().__init__("; ".join(f"{path}: {message}" for path, message in self.faults))


def path_of(parts: Sequence[str | int]) -> str:
    """The path of a field; names with a dot, as kinds have, stand in brackets."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() and len(part) <= PART_LENGTH_MAX:
            path += f".{part}" if path else part
        else:
            path += f"[{json.dumps(part[:PART_LENGTH_MAX])}]"
    return path or "policy"
