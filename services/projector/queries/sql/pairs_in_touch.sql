-- The raw pairs some people are in that have a touchpoint, as it stands now, of a time.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
-- $4 from_us bigint: from then on
-- $5 before_us bigint: before that
SELECT DISTINCT near.a, near.b
FROM unnest($3::text[]) AS wanted (person)
CROSS JOIN LATERAL (
    (
        SELECT t.a, t.b
        FROM views.touchpoints t
        WHERE t.journal = $1
          AND t.tenant = $2
          AND t.a BETWEEN wanted.person AND wanted.person
          AND t.now_occurred_at_us >= $4
          AND t.now_occurred_at_us < $5
        ORDER BY t.a, t.now_occurred_at_us, t.event_id
        OFFSET 0
    )
    UNION ALL
    (
        SELECT t.a, t.b
        FROM views.touchpoints t
        WHERE t.journal = $1
          AND t.tenant = $2
          AND t.b BETWEEN wanted.person AND wanted.person
          AND t.now_occurred_at_us >= $4
          AND t.now_occurred_at_us < $5
        ORDER BY t.b, t.now_occurred_at_us, t.event_id
        OFFSET 0
    )
) AS near;
