"""Reading settings from the environment: only config modules do, and they do it with this.

Messages name variables and never repeat their values, which may be secrets.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from services.runtime.vault import MasterKeyError, MasterKeys


class SettingsError(ValueError):
    """A variable is missing or malformed; the message says which and what it takes."""

    safe_message: ClassVar[bool] = True


class Settings:
    """Variables by name; an empty one counts as absent."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def optional(self, name: str) -> str | None:
        """The value, if there is one."""
        return self._env.get(name) or None

    def required(self, name: str, what: str) -> str:
        """The value; SettingsError says what it should be."""
        value = self.optional(name)
        if value is None:
            raise SettingsError(f"{name} is not set: give {what}")
        return value

    def address(self, name: str, default: str) -> tuple[str, int]:
        """`host:port`, with port 0 for the kernel's choice; an IPv6 host stands in brackets."""
        host, separator, port = (self.optional(name) or default).rpartition(":")
        if not separator or not host or not port.isdecimal() or int(port) > 65_535:
            raise SettingsError(f"{name} takes host:port, with port 0 for any free one")
        return host.removeprefix("[").removesuffix("]"), int(port)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number of the closed range."""
        text = self.optional(name)
        try:
            value = default if text is None else float(text)
        except ValueError:
            value = high + 1
        if not low <= value <= high:
            raise SettingsError(f"{name} takes a number from {low:g} to {high:g}")
        return value

    def path(self, name: str) -> Path | None:
        """A path, if there is one."""
        text = self.optional(name)
        return None if text is None else Path(text)

    def master_keys(self) -> MasterKeys:
        """The master keys, from RAPPORT_MASTER_KEY_FILE or else RAPPORT_MASTER_KEY."""
        file = self.path("RAPPORT_MASTER_KEY_FILE")
        if file is None:
            text = self.required(
                "RAPPORT_MASTER_KEY", "32 bytes in base64url, or RAPPORT_MASTER_KEY_FILE"
            )
        else:
            try:
                text = file.read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    "RAPPORT_MASTER_KEY_FILE names a file that cannot be read as text"
                ) from error
        try:
            return MasterKeys.from_text(text)
        except MasterKeyError as error:
            raise SettingsError(f"master key: {error}") from None
