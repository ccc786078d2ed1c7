-- Everybody who is linked to somebody else, in force or not.
-- $1 journal text: the journal
SELECT l.tenant, l.a AS person FROM views.links l WHERE l.journal = $1 AND l.strong
UNION
SELECT l.tenant, l.b FROM views.links l WHERE l.journal = $1 AND l.strong;
