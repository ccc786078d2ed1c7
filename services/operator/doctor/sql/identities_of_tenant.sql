-- Who is whom, as the read models have it.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT i.person, i.canonical
  FROM views.identities i
 WHERE i.journal = $1 AND i.tenant = $2
