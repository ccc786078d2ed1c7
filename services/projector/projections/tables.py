"""The read models as tables: everything that is derived from journals, and how its rows are known.

What else stands in schema `views` is kept when they are thrown away or built anew: what subscribers
were told of attention, what operators decided, and which migrations were applied.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the read models.

    `key`: what tells its rows apart within a journal, in the order of its primary key. `passing`:
    columns that say when and how a row was made, not what it holds; never compared.
    """

    name: str
    key: tuple[str, ...]
    passing: tuple[str, ...] = ()


TABLES: Final = (
    Table("touchpoints", ("tenant", "event_id")),
    Table("amendments", ("tenant", "event_id")),
    Table("balances", ("tenant", "a", "b")),
    Table("standings", ("tenant", "a", "b")),
    Table("parties", ("tenant", "party")),
    Table("descriptions", ("tenant", "party", "occurred_at_us", "position")),
    Table("links", ("tenant", "event_id")),
    Table("identities", ("tenant", "person")),
    Table("policies", ("tenant", "position")),
    Table("other_facts", ("tenant", "home", "position")),
    Table("fulfilments", ("tenant", "target", "position")),
    Table("affiliations", ("tenant", "organization", "position")),
    # The reason may name a line of the program that could not take the event.
    Table("parked", ("position",), ("parked_at", "reason")),
    Table("tenants", ("tenant",)),
    Table("ticks", ("recorded_at_us",)),
)

CHECKPOINTS: Final = "checkpoints"
# The checkpoint last: who deletes holds its lock to the end.
READ_MODELS: Final = (*(table.name for table in TABLES), CHECKPOINTS)
