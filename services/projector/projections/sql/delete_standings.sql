-- Takes away the standings of pairs that are canonical no more.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller person
-- $4 b text[]: the larger one
DELETE FROM views.standings s
USING unnest($2::text[], $3::text[], $4::text[]) AS k (tenant, a, b)
WHERE s.journal = $1 AND s.tenant = k.tenant AND s.a = k.a AND s.b = k.b;
