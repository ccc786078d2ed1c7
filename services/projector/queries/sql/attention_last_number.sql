-- The last number of a journal's log; null before the first.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
SELECT (SELECT j.last_number FROM views.attention_journals j WHERE j.journal = asked.journal) AS number
FROM (VALUES ($1::text, $2::text)) AS asked (journal, tenant);
