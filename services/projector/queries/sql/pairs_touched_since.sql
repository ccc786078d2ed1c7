-- The raw pairs of some people in which a touchpoint was recorded after a position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: all ids of the people
-- $4 position bigint: the position
SELECT DISTINCT near.a, near.b
FROM unnest($3::text[]) AS wanted (person)
CROSS JOIN LATERAL (
    (
        SELECT t.a, t.b
        FROM views.touchpoints t
        WHERE t.journal = $1 AND t.tenant = $2 AND t.a = wanted.person AND t.position > $4
    )
    UNION ALL
    (
        SELECT t.a, t.b
        FROM views.touchpoints t
        WHERE t.journal = $1 AND t.tenant = $2 AND t.b = wanted.person AND t.position > $4
    )
) AS near;
