"""The settings of a ledger."""

import base64

import pytest

from services.ledger.config import LedgerConfig
from services.runtime.jetstream import Retention
from services.runtime.settings import SettingsError

NEEDED = {
    "RAPPORT_JOURNAL_DSN": "postgresql://journal",
    "RAPPORT_VAULT_DSN": "postgresql://vault",
    "RAPPORT_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({}, None),
        ({"RAPPORT_STREAM_MAX_AGE_S": "86400"}, Retention(86_400, 0)),
        ({"RAPPORT_STREAM_MAX_BYTES": "1000000"}, Retention(0, 1_000_000)),
        (
            {"RAPPORT_STREAM_MAX_AGE_S": "0", "RAPPORT_STREAM_MAX_BYTES": "0"},
            Retention(0, 0),
        ),
    ],
)
def test_what_streams_keep_is_left_alone_unless_one_of_its_settings_is_given(
    told: dict[str, str], kept: Retention | None
) -> None:
    assert LedgerConfig.from_env(NEEDED | told).stream_retention == kept


@pytest.mark.parametrize("value", ["-1", "a day"])
def test_what_streams_keep_takes_a_number_of_zero_or_more(value: str) -> None:
    with pytest.raises(SettingsError, match="RAPPORT_STREAM_MAX_AGE_S"):
        LedgerConfig.from_env(NEEDED | {"RAPPORT_STREAM_MAX_AGE_S": value})
