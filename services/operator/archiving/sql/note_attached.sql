-- Note that an archive is attached again.
-- $1 journal text: the journal
-- $2 from_position bigint: its first position
UPDATE journal.archives SET attached_at_us = journal.now_us()
 WHERE journal = $1 AND from_position = $2
