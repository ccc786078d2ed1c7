-- Begins the log of a journal, under an incarnation of its own, if it has none.
-- $1 journal text: the journal
INSERT INTO views.attention_journals (journal) VALUES ($1) ON CONFLICT (journal) DO NOTHING;
