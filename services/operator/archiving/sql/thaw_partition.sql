-- Note that a partition is a new table, or has new rows, not frozen yet.
-- $1 from_position bigint: the partition's
UPDATE journal.partitions SET frozen_journals = 0 WHERE from_position = $1
