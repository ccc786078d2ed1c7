-- The first statement of every read: how far the views of the journal are, for which day and policy
-- the tenant's standings hold, and which further reads can be spared. Always one row; position is
-- null before the journal's first event, day before the tenant's. The settings hold until the read
-- ends: every statement has one good plan, by index and in its order, whatever the size of tables;
-- left alone, the planner finds others until it has statistics of them.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
SELECT c.position,
       t.day,
       t.policy_hash AS standings_policy_hash,
       t.built,
       (
           SELECT true
           FROM views.policies p
           WHERE p.journal = $1 AND p.tenant = $2
           ORDER BY p.position
           LIMIT 1
       ) AS has_policies,
       (
           SELECT true
           FROM views.links l
           WHERE l.journal = $1 AND l.tenant = $2 AND l.strong
           ORDER BY l.a
           LIMIT 1
       ) AS has_links,
       set_config('enable_sort', 'off', true),
       set_config('enable_incremental_sort', 'off', true),
       set_config('enable_seqscan', 'off', true),
       set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true)
FROM (VALUES ($1::text, $2::text)) AS asked (journal, tenant)
LEFT JOIN views.checkpoints c ON c.journal = asked.journal
LEFT JOIN views.tenants t ON t.journal = asked.journal AND t.tenant = asked.tenant;
