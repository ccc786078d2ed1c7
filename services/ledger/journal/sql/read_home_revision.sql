-- How many events a home has; no row when none.
-- $1 journal text: the journal.
-- $2 tenant text: the tenant.
-- $3 home text: the home.
SELECT k.revision
  FROM journal.event_keys k
 WHERE k.journal = $1 AND k.tenant = $2 AND k.home = $3
 ORDER BY k.revision DESC
 LIMIT 1
