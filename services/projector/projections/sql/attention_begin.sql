-- Lets a tenant's days begin with the one on which its first touchpoint was recorded: on that day, as
-- known at its first instant, there was nothing. Answers the day; nothing where there is no touchpoint.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 day_us bigint: microseconds of a day
INSERT INTO views.attention_tenants (journal, tenant, day, position, policy_hash)
SELECT $1, $2, (min(t.recorded_at_us) / $3)::integer, 0, ''
FROM views.touchpoints t
WHERE t.journal = $1 AND t.tenant = $2
HAVING min(t.recorded_at_us) IS NOT NULL
ON CONFLICT (journal, tenant) DO NOTHING
RETURNING day;
