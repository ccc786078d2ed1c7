-- Create a journal; no row when there is one of that name.
-- $1 journal text: its name.
INSERT INTO journal.journals AS j (journal, incarnation, last_recorded_at_us, created_at_us)
SELECT $1, gen_random_uuid(), n.now_us, n.now_us FROM journal.now_us() AS n (now_us)
ON CONFLICT (journal) DO NOTHING
RETURNING j.journal, j.incarnation, j.head, j.last_recorded_at_us, j.created_at_us,
          j.detached_through
