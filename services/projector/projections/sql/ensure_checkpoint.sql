-- Begins the views of a journal, unless they have begun.
-- $1 journal text: the journal
-- $2 incarnation uuid: its incarnation
INSERT INTO views.checkpoints (journal, incarnation, position, recorded_at_us)
VALUES ($1, $2, 0, -9223372036854775808)
ON CONFLICT (journal) DO NOTHING;
