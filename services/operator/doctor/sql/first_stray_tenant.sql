-- The first tenant with events in a journal it is not pinned to.
-- $1 journal text: the journal
SELECT k.tenant, min(k.position) AS position, t.journal
  FROM journal.event_keys k
  LEFT JOIN journal.tenants t ON t.tenant = k.tenant
 WHERE k.journal = $1 AND t.journal IS DISTINCT FROM k.journal
 GROUP BY k.tenant, t.journal
 ORDER BY 2
 LIMIT 1
