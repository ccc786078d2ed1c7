-- How many events a home has; no row when none.
-- $1 journal text: the journal.
-- $2 tenant text: the tenant.
-- $3 home text: the home.
SELECT h.revision FROM journal.homes h WHERE h.journal = $1 AND h.tenant = $2 AND h.home = $3
