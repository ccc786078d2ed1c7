-- Says that parties were named earlier than noted: by an event that had been parked.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a party
-- $3 party text[]: the party
-- $4 position bigint[]: the event that names it
UPDATE views.parties p
SET first_position = n.position
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (tenant, party, position)
CROSS JOIN LATERAL (
    SELECT q.ctid AS row FROM views.parties q
    WHERE q.journal = $1 AND q.tenant = n.tenant AND q.party = n.party
      AND q.first_position > n.position
    OFFSET 0
) AS w
WHERE p.ctid = w.row;
