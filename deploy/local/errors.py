"""What can go wrong in the embedded stack, in words a person can act on."""


class StackError(Exception):
    """One line for the terminal: what is missing or broken, and what to do about it."""
