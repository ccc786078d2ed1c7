"""How a command ends, and the exit code that says so."""

from typing import ClassVar, Final

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 3
EXIT_DIFFERENCES: Final = 4


class CommandError(Exception):
    """One line for the terminal: what is wrong, and what to do about it."""

    exit_code: ClassVar[int] = EXIT_REFUSED
    reason: ClassVar[str] = "REFUSED"


class Refused(CommandError):  # noqa: N818 - says what happened
    """What was asked for cannot be done; nothing was changed."""


class Usage(CommandError):  # noqa: N818
    """The call or the configuration is wrong; nothing was tried."""

    exit_code: ClassVar[int] = EXIT_USAGE
    reason: ClassVar[str] = "USAGE"


class Unavailable(CommandError):  # noqa: N818
    """PostgreSQL or NATS cannot be reached, or does not get on."""

    exit_code: ClassVar[int] = EXIT_UNAVAILABLE
    reason: ClassVar[str] = "UNAVAILABLE"
