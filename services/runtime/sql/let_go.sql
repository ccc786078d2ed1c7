-- Let go of a lock; false when this connection does not hold it.
-- $1 lock text: its name.
SELECT pg_advisory_unlock(hashtextextended($1, 0))
