-- Takes back that an event is done without.
-- $1 journal text: the journal
-- $2 position bigint: its position
DELETE FROM views.discarded WHERE journal = $1 AND position = $2;
