-- Note what was detached, or detached again.
-- $1 journal text: the journal
-- $2 from_position bigint: the first
-- $3 through_position bigint: the last
-- $4 incarnation text: the journal's
-- $5 moved_events bigint: how many are in the file alone
-- $6 file_name text: the file's name
-- $7 file_sha256 bytea: its hash
-- $8 content_sha256 bytea: that of its rows
INSERT INTO journal.archives AS a (
  journal, from_position, through_position, incarnation, moved_events, file_name, file_sha256,
  content_sha256, detached_at_us
)
VALUES ($1, $2, $3, $4::text::uuid, $5, $6, $7, $8, journal.now_us())
ON CONFLICT (journal, from_position) DO UPDATE
   SET through_position = excluded.through_position, incarnation = excluded.incarnation,
       moved_events = excluded.moved_events, file_name = excluded.file_name,
       file_sha256 = excluded.file_sha256, content_sha256 = excluded.content_sha256,
       detached_at_us = excluded.detached_at_us, attached_at_us = NULL
