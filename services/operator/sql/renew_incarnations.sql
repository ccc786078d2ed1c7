-- Gives journals a new incarnation: what was derived from them stops until it is rebuilt.
-- $1 journals text[]: the journals
UPDATE journal.journals j
   SET incarnation = gen_random_uuid()
 WHERE j.journal = ANY ($1)
RETURNING j.journal, j.incarnation::text AS incarnation
