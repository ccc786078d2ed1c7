-- Every party that was ever described.
-- $1 journal text: the journal
SELECT DISTINCT d.tenant, d.party FROM views.descriptions d WHERE d.journal = $1;
