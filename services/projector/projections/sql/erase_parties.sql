-- Notes that the texts of parties are gone for ever.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a party
-- $3 party text[]: the party
UPDATE views.parties p
SET erased = true
FROM unnest($2::text[], $3::text[]) AS n (tenant, party)
CROSS JOIN LATERAL (
    SELECT q.ctid AS row FROM views.parties q
    WHERE q.journal = $1 AND q.tenant = n.tenant AND q.party = n.party
    OFFSET 0
) AS w
WHERE p.ctid = w.row;
