"""Faults planted in valid histories: each breaks one promise, and leaves every other kept."""

from random import Random
from typing import Final

from tests.support import torture_plants_of_copies as of_copies
from tests.support import torture_plants_of_writes as of_writes
from tests.support.torture_histories import renumbered
from tests.support.torture_plants_common import Plant, Records

PLANTS: Final[dict[Plant, str]] = {
    of_writes.hole: "positions",
    of_writes.lost_append: "acknowledged",
    of_writes.moved_append: "acknowledged",
    of_writes.answered_for_others: "acknowledged",
    of_writes.double: "once",
    of_writes.skipped_revision: "revisions",
    of_writes.recorded_earlier: "recorded_order",
    of_writes.other_bytes: "stored_bytes",
    of_writes.other_payload: "stored_bytes",
    of_writes.other_home: "as_sent",
    of_writes.other_type: "as_sent",
    of_writes.other_kind: "as_sent",
    of_writes.other_time: "as_sent",
    of_writes.other_time_than_recorded: "as_sent",
    of_writes.unsent_event: "invented",
    of_writes.told_two_positions: "acknowledged_once",
    of_writes.swapped_pair: "real_time",
    of_writes.refused_and_written: "definite",
    of_writes.replay_of_nothing: "replayed",
    of_writes.new_twice: "replayed",
    of_writes.never_resolved: "resolved",
    of_writes.half_a_batch: "atomic",
    of_writes.batch_out_of_order: "atomic",
    of_writes.ignored_condition: "expected_revision",
    of_writes.ignored_condition_unheard: "expected_revision",
    of_copies.foreign_message: "stream_equal",
    of_copies.changed_message: "stream_equal",
    of_copies.swapped_messages: "stream_equal",
    of_copies.missing_message: "stream_whole",
    of_copies.unread_stream: "stream_whole",
    of_copies.emptied_stream: "stream_whole",
    of_copies.cut_tail: "stream_head",
    of_copies.skipped_by_a_subscriber: "subscribed_order",
    of_copies.seen_twice: "subscribed_order",
    of_copies.resumed_elsewhere: "subscribed_order",
    of_copies.subscriber_handed_another: "subscribed_equal",
    of_copies.stale_read: "fresh",
    of_copies.wrong_balance: "answer",
    of_copies.forgotten_in_a_list: "answer",
    of_copies.went_back: "monotonic",
    of_copies.wrong_final_balance: "final",
    of_copies.unasked_at_the_end: "final",
    of_copies.silent_projector: "final",
    of_copies.taken_poison: "parked",
    of_copies.parked_without_reason: "parked",
    of_copies.needless_rebuild: "operated",
    of_copies.given_up: "sound",
    of_copies.broken_off: "sound",
    of_copies.answered_twice: "sound",
}


def planted(plant: Plant, records: Records, seed: int) -> Records:
    """A valid history with a fault in it."""
    return renumbered(plant(records, Random(seed)))


__all__ = ["PLANTS", "Plant", "planted"]
