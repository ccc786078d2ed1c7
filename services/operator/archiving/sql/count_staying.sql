-- How many events of a range would be copied because their journals keep them.
-- $1 from_position bigint: the first
-- $2 through_position bigint: the last
-- $3 moving text[]: the journals that do not keep them
SELECT coalesce(sum(least(j.head, $2) - $1 + 1), 0)::bigint
  FROM journal.journals j
 WHERE j.head >= $1 AND j.detached_through < $2 AND j.journal <> ALL ($3::text[])
