-- Archives that are detached, the one to attach first of each journal first.
-- $1 journal text: only this journal; NULL for all
SELECT a.journal, a.from_position, a.through_position, a.moved_events, a.file_name,
       encode(a.file_sha256, 'hex') AS file_sha256, encode(a.content_sha256, 'hex') AS content_sha256
  FROM journal.archives a
 WHERE a.attached_at_us IS NULL AND ($1::text IS NULL OR a.journal = $1)
 ORDER BY a.journal, a.from_position DESC
