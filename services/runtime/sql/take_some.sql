-- Take locks nobody holds, by their names, held until they are let go or the connection ends; those
-- taken. Nothing sorts or joins here, so that no more are tried than it takes.
-- $1 locks text[]: their names.
-- $2 most integer: how many at most.
SELECT l.name
  FROM unnest($1::text[]) AS l (name)
 WHERE pg_try_advisory_lock(hashtextextended(l.name, 0))
 LIMIT $2
