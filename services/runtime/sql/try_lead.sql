-- Take a lock by its name, held until the connection ends; false when another holds it.
-- $1 lock text: its name.
SELECT pg_try_advisory_lock(hashtextextended($1, 0))
