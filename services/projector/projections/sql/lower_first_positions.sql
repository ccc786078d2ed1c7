-- Says that parties were named earlier than noted: by an event that had been parked.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a party
-- $3 party text[]: the party
-- $4 position bigint[]: the event that names it
UPDATE views.parties p
SET first_position = n.position
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (tenant, party, position)
WHERE p.journal = $1 AND p.tenant = n.tenant AND p.party = n.party
  AND p.first_position > n.position;
