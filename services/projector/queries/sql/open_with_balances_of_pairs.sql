-- A whole read in one statement: what `open` tells, but for policies what `policies` finds now, in
-- every row, with what `balances_of_pairs` finds of each pair; a and all after it are null for a pair
-- nobody has touched. Checkpoints come first, as the door of the views has it. Only for sessions that
-- plan by index (plan_by_index).
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair, at least one
-- $4 b text[]: the larger one
SELECT c.position,
       t.day,
       t.policy_hash AS standings_policy_hash,
       t.built,
       (
           SELECT true
           FROM views.links l
           WHERE l.journal = $1 AND l.tenant = $2 AND l.strong
           ORDER BY l.a
           LIMIT 1
       ) AS has_links,
       ARRAY(
           SELECT ROW (p.position, p.event_id, p.name, p.version, p.hash, p.effective_from)
           FROM views.policies p
           WHERE p.journal = $1
             AND p.tenant = $2
             AND (
                 SELECT m.position
                 FROM views.amendments m
                 WHERE m.journal = $1
                   AND m.tenant = $2
                   AND m.target BETWEEN p.event_id AND p.event_id
                   AND m.role = 'V'
                 ORDER BY m.target
                 LIMIT 1
             ) IS NULL
           ORDER BY p.position
       ) AS policies,
       s.a,
       s.b,
       s.policy_hash,
       s.buckets,
       s.through_day,
       s.contact_days
FROM (VALUES ($1::text, $2::text)) AS asked (journal, tenant)
LEFT JOIN views.checkpoints c ON c.journal = asked.journal
LEFT JOIN views.tenants t ON t.journal = asked.journal AND t.tenant = asked.tenant
CROSS JOIN unnest($3::text[], $4::text[]) AS pair (a, b)
LEFT JOIN LATERAL (
    SELECT x.*
    FROM views.balances x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.a = pair.a AND x.b BETWEEN pair.b AND pair.b
    ORDER BY x.b
    LIMIT 1
) AS s ON true;
