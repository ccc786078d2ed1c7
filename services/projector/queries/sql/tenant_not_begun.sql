-- The relationships of a tenant that have a standing but nothing in effect by the day: all of it is
-- voided, or to come. Only those that stand at nothing are looked up.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 before_us bigint: the end of the day, microseconds since 2000-01-01
SELECT s.a, s.b
FROM views.standings s
WHERE s.journal = $1
  AND s.tenant = $2
  AND s.contact_days = 0
  AND s.know_mp = 0
  AND s.care_mp = 0
  AND NOT EXISTS (
      SELECT
      FROM (
          SELECT s.a AS id
          UNION
          SELECT i.person
          FROM views.identities i
          WHERE i.journal = $1 AND i.tenant = $2 AND i.canonical = s.a
      ) AS x
      CROSS JOIN (
          SELECT s.b AS id
          UNION
          SELECT i.person
          FROM views.identities i
          WHERE i.journal = $1 AND i.tenant = $2 AND i.canonical = s.b
      ) AS y
      CROSS JOIN LATERAL (
          SELECT
          FROM views.touchpoints t
          WHERE t.journal = $1
            AND t.tenant = $2
            AND t.a BETWEEN least(x.id, y.id) AND least(x.id, y.id)
            AND t.b BETWEEN greatest(x.id, y.id) AND greatest(x.id, y.id)
            AND t.state <> 3
            AND t.now_occurred_at_us < $3
          ORDER BY t.a, t.b, t.now_occurred_at_us
          LIMIT 1
      ) AS f
  );
