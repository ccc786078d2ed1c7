-- When items were raised that were open on a day, by the log: the last change until then says so.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 items text[]: their ids
-- $4 day integer: the day
SELECT wanted.item, l.on_day
FROM unnest($3::text[]) AS wanted (item)
CROSS JOIN LATERAL (
    SELECT x.on_day, x.raised
    FROM views.attention_log x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.item = wanted.item AND x.on_day <= $4
    ORDER BY x.number DESC
    LIMIT 1
) AS l
WHERE l.raised;
