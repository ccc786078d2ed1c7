-- Be counted among the members of a group until the connection ends; waits for nobody.
-- $1 group text: its name.
SELECT pg_advisory_lock_shared(hashtextextended($1, 0))
