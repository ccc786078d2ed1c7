-- The least position of the read models of a journal; NULL when there are none.
-- $1 journal text: the journal
SELECT min(c.position) FROM views.checkpoints c WHERE c.journal = $1
