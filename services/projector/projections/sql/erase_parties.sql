-- Notes that the texts of parties are gone for ever.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a party
-- $3 party text[]: the party
UPDATE views.parties p
SET erased = true
FROM unnest($2::text[], $3::text[]) AS n (tenant, party)
WHERE p.journal = $1 AND p.tenant = n.tenant AND p.party = n.party;
