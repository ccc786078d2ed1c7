-- Who ever began to belong to an organisation, as known at a position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 organization text: the organisation
-- $4 known_at bigint: the position
SELECT DISTINCT x.person
FROM views.affiliations x
WHERE x.journal = $1 AND x.tenant = $2 AND x.organization = $3 AND x.position <= $4;
