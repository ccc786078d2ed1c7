-- A page of parties by name, as described now.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 after text: the last name of the page before, or where a kind of names begins
-- $4 until text: names before this one only
-- $5 side smallint: only this Side; 0 for all
-- $6 tier text: only this tier; empty for all
-- $7 team text: only this team; empty for all
-- $8 limit bigint: at most so many rows
WITH page AS (
    SELECT p.party, p.erased, p.described_by
    FROM views.parties p
    WHERE p.journal = $1
      AND p.tenant = $2
      AND p.party > $3
      AND p.party < $4
      AND ($5::smallint = 0 OR p.side = $5::smallint)
      AND ($6::text = '' OR p.tier = $6::text)
      AND ($7::text = '' OR p.team = $7::text)
    ORDER BY p.party
    LIMIT $8
)
SELECT page.party, page.erased, page.described_by, coalesce(d.bytes, 0) AS bytes
FROM page
LEFT JOIN LATERAL (
    SELECT octet_length(x.payload) AS bytes
    FROM views.descriptions x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN page.described_by AND page.described_by
    ORDER BY x.event_id
    LIMIT 1
) AS d ON true
ORDER BY page.party;
