"""`python -m tests.faults.torture.skewed_projector`: a projector whose clock can be moved."""

import sys

from tests.faults.torture.skewed import main

if __name__ == "__main__":
    sys.exit(main("projector"))
