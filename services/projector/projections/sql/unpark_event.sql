-- Takes an event back from the parked ones.
-- $1 journal text: the journal
-- $2 position bigint: position
DELETE FROM views.parked WHERE journal = $1 AND position = $2;
