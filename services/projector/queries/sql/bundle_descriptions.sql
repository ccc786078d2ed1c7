-- How some parties were described, ever, with who recorded it and when.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 parties text[]: the parties
SELECT d.party, d.event_id, d.position, d.occurred_at_us, d.recorded_at_us, d.recorded_by, d.payload
FROM unnest($3::text[]) AS wanted (party)
CROSS JOIN LATERAL (
    SELECT x.party, x.event_id, x.position, x.occurred_at_us, x.recorded_at_us, x.recorded_by,
           x.payload
    FROM views.descriptions x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.party BETWEEN wanted.party AND wanted.party
    ORDER BY x.party, x.occurred_at_us, x.position
    OFFSET 0
) AS d;
