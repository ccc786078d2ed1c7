-- A journal as it is now. detached_through: the last position of the leading partitions that the
-- owner took away, 0 for none; their events can be compared no more.
-- $1 journal text: the journal
SELECT j.incarnation::text AS incarnation, j.head, j.last_recorded_at_us,
       (SELECT coalesce(max(p.through_position), 0)
          FROM journal.partitions p
         WHERE p.through_position <= j.head
           AND NOT EXISTS (
               SELECT FROM journal.partitions q
                 JOIN pg_catalog.pg_inherits i
                   ON i.inhparent = to_regclass('journal.events')
                  AND i.inhrelid = to_regclass(format('journal.%I', q.name))
                WHERE q.from_position <= p.from_position
           )) AS detached_through
  FROM journal.journals j
 WHERE j.journal = $1
