-- How many journals are further in the live version than beside, of the same incarnation.
SELECT count(*)
FROM views.checkpoints l
LEFT JOIN views_next.checkpoints n USING (journal)
WHERE l.position > 0
  AND (n.journal IS NULL OR (n.incarnation = l.incarnation AND n.position < l.position));
