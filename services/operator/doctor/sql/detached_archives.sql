-- The files that hold what is detached of a journal, in order.
-- $1 journal text: the journal
SELECT a.from_position, a.through_position, a.file_name,
       encode(a.file_sha256, 'hex') AS file_sha256
  FROM journal.archives a
 WHERE a.journal = $1 AND a.attached_at_us IS NULL
 ORDER BY a.from_position
