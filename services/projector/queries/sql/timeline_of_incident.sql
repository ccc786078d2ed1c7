-- A page of an incident and its recovery steps, newest first: few rows by nature, so sorted.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 incident uuid: its event id
-- $4 first text[]: ids of one person of the relationship, or of the person
-- $5 second text[]: ids of the other person; null for anybody
-- $6 by_recorded boolean: ordered by position instead of by when it happened
-- $7 before_key bigint: of the last line of the page before, what it is ordered by
-- $8 before_id uuid: its event id
-- $9 limit bigint: at most so many rows
-- $10 include_voided boolean: also those taken back
-- $11 kinds text[]: only these; null for all
-- $12 channels text[]: only these; null for all
-- $13 modes smallint[]: only these of Initiative; null for all
-- $14 default_kinds text[]: kinds whose own mode is among them, or (next bind) is not
-- $15 default_kinds_are_excluded boolean: true if default_kinds lists those whose mode is not
-- $16 side smallint: only initiators of this Side; 0 for all
WITH involved AS (
    (
        SELECT x.*
        FROM views.touchpoints x
        WHERE x.journal = $1 AND x.tenant = $2 AND x.event_id BETWEEN $3 AND $3
        ORDER BY x.event_id
        OFFSET 0
    )
    UNION ALL
    (
        SELECT x.*
        FROM views.touchpoints x
        WHERE x.journal = $1
          AND x.tenant = $2
          AND x.now_resolves BETWEEN $3 AND $3
          AND x.event_id <> $3
        ORDER BY x.now_resolves
        OFFSET 0
    )
), page AS (
    SELECT t.event_id, t.a, t.b, t.position, t.now_occurred_at_us, t.recorded_at_us,
           t.recorded_by, octet_length(t.payload) AS bytes, t.state, t.now_kind,
           t.now_initiative, t.corrected_by, t.voided_by
    FROM involved t
    WHERE (
        (t.a = ANY ($4::text[]) AND ($5::text[] IS NULL OR t.b = ANY ($5::text[])))
        OR (t.b = ANY ($4::text[]) AND ($5::text[] IS NULL OR t.a = ANY ($5::text[])))
    )
      AND (CASE WHEN $6::boolean THEN t.position ELSE t.now_occurred_at_us END, t.event_id)
          < ($7::bigint, $8::uuid)
      AND ($10 OR t.state <> 3)
      AND ($11::text[] IS NULL OR t.now_kind = ANY ($11::text[]))
      AND ($12::text[] IS NULL OR t.now_channel = ANY ($12::text[]))
      AND (
          $13::smallint[] IS NULL
          OR t.now_initiative = ANY ($13::smallint[])
          OR (t.now_initiative = 0 AND (t.now_kind = ANY ($14::text[])) <> $15)
      )
      AND (
          $16::smallint = 0
          OR (
              SELECT p.side
              FROM views.parties p
              WHERE p.journal = $1 AND p.tenant = $2 AND p.party = t.now_initiator
          ) = $16::smallint
      )
    ORDER BY CASE WHEN $6::boolean THEN t.position ELSE t.now_occurred_at_us END DESC,
             t.event_id DESC
    LIMIT $9
)
SELECT page.*, m.bytes AS correction_bytes, m.recorded_by AS correction_recorded_by
FROM page
LEFT JOIN LATERAL (
    SELECT octet_length(m.payload) AS bytes, m.recorded_by
    FROM views.amendments m
    WHERE m.journal = $1
      AND m.tenant = $2
      AND m.event_id BETWEEN page.corrected_by AND page.corrected_by
    ORDER BY m.event_id
    LIMIT 1
) AS m ON true
ORDER BY CASE WHEN $6::boolean THEN page.position ELSE page.now_occurred_at_us END DESC,
         page.event_id DESC;
