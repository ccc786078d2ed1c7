-- The partitions that some journal is beyond and none stands in, in order.
SELECT p.from_position, p.through_position, p.name, p.frozen_journals,
       count(*) FILTER (WHERE j.head >= p.through_position) AS journals_beyond
  FROM journal.partitions p
 CROSS JOIN journal.journals j
 GROUP BY p.from_position, p.through_position, p.name, p.frozen_journals
HAVING count(*) FILTER (WHERE j.head >= p.through_position) > 0
   AND count(*) FILTER (
         WHERE j.head >= p.from_position AND j.head < p.through_position
       ) = 0
 ORDER BY p.from_position
