"""How many random histories the slower properties try: RAPPORT_TEST_EFFORT times as many."""

import os
from typing import Final

EFFORT: Final = int(os.environ.get("RAPPORT_TEST_EFFORT", "1"))


def seeds(usual: int) -> range:
    """The seeds of as many histories as usual, or of more."""
    return range(usual * EFFORT)
