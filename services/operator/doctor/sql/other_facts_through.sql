-- The facts without views of their own up to a position, in order.
-- $1 journal text: the journal
-- $2 through_position bigint: the last
SELECT f.position, f.tenant, f.type, f.payload
  FROM views.other_facts f
 WHERE f.journal = $1 AND f.position <= $2
 ORDER BY f.position
