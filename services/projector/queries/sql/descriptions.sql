-- The payloads of some descriptions, sealed as stored.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 event_ids uuid[]: their event ids
SELECT d.event_id, d.payload
FROM unnest($3::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.payload
    FROM views.descriptions x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY x.event_id
    LIMIT 1
) AS d;
