-- The next raw pairs that have touchpoints, in order.
-- $1 journal text: the journal
-- $2 tenant text: after this pair: its tenant
-- $3 a text: its smaller person
-- $4 b text: its larger one
-- $5 limit bigint: at most so many
SELECT DISTINCT t.tenant, t.a, t.b
FROM views.touchpoints t
WHERE t.journal = $1 AND (t.tenant, t.a, t.b) > ($2, $3, $4)
ORDER BY t.tenant, t.a, t.b
LIMIT $5;
