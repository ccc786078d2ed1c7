-- Note that a partition is frozen, and for how many journals it was closed then.
-- $1 from_position bigint: the partition's
-- $2 frozen_journals bigint: how many
UPDATE journal.partitions SET frozen_journals = $2 WHERE from_position = $1
