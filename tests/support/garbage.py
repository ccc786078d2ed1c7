"""What is left behind for Python's search for cycles, which comes seldom and late."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

_SERVICES: Final = str(Path(__file__).parents[2] / "services")


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """No frame of a service that ended within the block is kept by a cycle, with all it holds."""
    gc.collect()
    gc.disable()
    try:
        yield
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [each.f_code for each in gc.garbage if isinstance(each, FrameType)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    kept = [code.co_qualname for code in left if code.co_filename.startswith(_SERVICES)]
    assert not kept, kept
