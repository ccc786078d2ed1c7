-- The incidents in effect of one human, under all of its ids, newest first: two index scans for each
-- id. One between two of the ids is read once, by its smaller one.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the ids
-- $4 before_us bigint: of the last one of the page before, when it happened
-- $5 before_id uuid: its event id
-- $6 limit bigint: at most so many rows
SELECT t.event_id, t.a, t.b, t.now_occurred_at_us
FROM unnest($3::text[]) AS member (person)
CROSS JOIN LATERAL (
    (
        SELECT x.event_id, x.a, x.b, x.now_occurred_at_us
        FROM views.touchpoints x
        WHERE x.journal = $1
          AND x.tenant = $2
          AND x.a = member.person
          AND x.now_kind = 'incident'
          AND x.state <> 3
          AND (x.now_occurred_at_us, x.event_id) < ($4, $5)
        ORDER BY x.now_occurred_at_us DESC, x.event_id DESC
        LIMIT $6
    )
    UNION ALL
    (
        SELECT x.event_id, x.a, x.b, x.now_occurred_at_us
        FROM views.touchpoints x
        WHERE x.journal = $1
          AND x.tenant = $2
          AND x.b = member.person
          AND x.a <> ALL ($3::text[])
          AND x.now_kind = 'incident'
          AND x.state <> 3
          AND (x.now_occurred_at_us, x.event_id) < ($4, $5)
        ORDER BY x.now_occurred_at_us DESC, x.event_id DESC
        LIMIT $6
    )
) AS t
ORDER BY t.now_occurred_at_us DESC, t.event_id DESC
LIMIT $6;
