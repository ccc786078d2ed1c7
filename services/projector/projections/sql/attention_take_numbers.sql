-- Takes the next numbers of a journal's log: the last of them. Holds them until the transaction ends,
-- so that no number is lost and none is seen before the one below it.
-- $1 journal text: the journal
-- $2 count bigint: how many
INSERT INTO views.attention_journals AS j (journal, last_number)
VALUES ($1, $2)
ON CONFLICT (journal) DO UPDATE SET last_number = j.last_number + $2
RETURNING last_number;
