-- The touchpoints of some group meetings as they stand now, taken back or not.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 occasions uuid[]: the meetings
SELECT t.now_occasion AS occasion, t.event_id, t.a, t.b, t.state, t.now_occurred_at_us,
       t.now_initiator, t.now_kind, t.now_channel, t.now_initiative, t.now_resolves
FROM unnest($3::uuid[]) AS wanted (occasion)
CROSS JOIN LATERAL (
    SELECT x.*
    FROM views.touchpoints x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.now_occasion BETWEEN wanted.occasion AND wanted.occasion
    ORDER BY x.now_occasion
    OFFSET 0
) AS t;
