-- The last raw pair that has a balance: they are folded in order.
-- $1 journal text: the journal
SELECT b.tenant, b.a, b.b
FROM views.balances b
WHERE b.journal = $1
ORDER BY b.tenant DESC, b.a DESC, b.b DESC
LIMIT 1;
