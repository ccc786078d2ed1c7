-- Adds parties that events name for the first time.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a party
-- $3 party text[]: the party
-- $4 position bigint[]: the first event that names it
INSERT INTO views.parties (journal, tenant, party, first_position)
SELECT $1, n.tenant, n.party, n.position
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (tenant, party, position)
ON CONFLICT (journal, tenant, party) DO NOTHING;
