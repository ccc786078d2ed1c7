-- Changes of a tenant's items from a number on, in order; those of a person when one is named.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 from_number bigint: the first
-- $4 people text[]: all ids of the person, null for everybody's
-- $5 limit bigint: at most so many
SELECT l.number, l.payload
FROM views.attention_log l
WHERE l.journal = $1
  AND l.tenant = $2
  AND l.number >= $3
  AND ($4::text[] IS NULL OR l.person = ANY ($4::text[]))
ORDER BY l.number
LIMIT $5;
