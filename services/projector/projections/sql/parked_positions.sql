-- Which of some events are parked.
-- $1 journal text: the journal
-- $2 positions bigint[]: theirs
SELECT p.position FROM views.parked p WHERE p.journal = $1 AND p.position = ANY ($2::bigint[]);
