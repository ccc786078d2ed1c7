-- The ranges of partitions that can be detached of journals: wholly before a position, with at
-- least one event beyond them, not detached yet; in order.
-- $1 before_position bigint: only ranges that end before it
-- $2 journal text: only this journal; NULL for all
SELECT p.name, j.journal, p.from_position, p.through_position, j.incarnation::text AS incarnation
  FROM journal.partitions p
 CROSS JOIN journal.journals j
 WHERE p.through_position < $1 AND p.through_position < j.head
   AND p.through_position > j.detached_through AND ($2::text IS NULL OR j.journal = $2)
 ORDER BY p.from_position, j.journal
