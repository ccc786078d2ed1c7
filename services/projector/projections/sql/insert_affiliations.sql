-- Adds who begins to belong to an organisation.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element an affiliation
-- $3 organization text[]: the organisation
-- $4 position bigint[]: position
-- $5 person text[]: the person
-- $6 event_id uuid[]: the event
INSERT INTO views.affiliations (journal, tenant, organization, position, person, event_id)
SELECT $1, n.tenant, n.organization, n.position, n.person, n.event_id
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::uuid[])
    AS n (tenant, organization, position, person, event_id);
