-- What one version has parked and the other has not, of the events that both have met.
SELECT p.journal, p.position, p.beside
FROM (
    SELECT journal, position, n.journal IS NOT NULL AS beside
    FROM views.parked l
    FULL JOIN views_next.parked n USING (journal, position)
    WHERE l.journal IS NULL OR n.journal IS NULL
) p
JOIN views.checkpoints l ON l.journal = p.journal
JOIN views_next.checkpoints n ON n.journal = p.journal AND n.incarnation = l.incarnation
WHERE p.position <= least(l.position, n.position)
ORDER BY p.journal, p.position;
