-- Takes away the standings of pairs that are canonical no more.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller person
-- $4 b text[]: the larger one
DELETE FROM views.standings s
USING unnest($2::text[], $3::text[], $4::text[]) AS k (tenant, a, b)
CROSS JOIN LATERAL (
    SELECT p.ctid AS row FROM views.standings p
    WHERE p.journal = $1 AND p.tenant = k.tenant AND p.a = k.a AND p.b = k.b
    OFFSET 0
) AS f
WHERE s.ctid = f.row;
