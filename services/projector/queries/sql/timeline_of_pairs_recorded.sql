-- A page of the touchpoints of some raw pairs (of one relationship), the latest recorded first.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
-- $5 before_position bigint: of the last line of the page before, its position
-- $6 limit bigint: at most so many rows
-- $7 until_us bigint: of what happened before this instant
-- $8 include_voided boolean: also those taken back
-- $9 kinds text[]: only these; null for all
-- $10 channels text[]: only these; null for all
-- $11 modes smallint[]: only these of Initiative; null for all
-- $12 default_kinds text[]: kinds whose own mode is among them, or (next bind) is not
-- $13 default_kinds_are_excluded boolean: true if default_kinds lists those whose mode is not
-- $14 side smallint: only initiators of this Side; 0 for all
WITH page AS (
    SELECT t.*
    FROM unnest($3::text[], $4::text[]) AS pair (a, b)
    CROSS JOIN LATERAL (
        SELECT t.event_id, t.a, t.b, t.position, t.now_occurred_at_us, t.recorded_at_us,
               t.recorded_by, octet_length(t.payload) AS bytes, t.state, t.now_kind,
               t.now_initiative, t.corrected_by, t.voided_by
        FROM views.touchpoints t
        WHERE t.journal = $1
          AND t.tenant = $2
          AND t.a = pair.a
          AND t.b >= pair.b
          AND (t.b, t.position) < (pair.b, $5)
          AND t.now_occurred_at_us < $7
          AND ($8 OR t.state <> 3)
          AND ($9::text[] IS NULL OR t.now_kind = ANY ($9::text[]))
          AND ($10::text[] IS NULL OR t.now_channel = ANY ($10::text[]))
          AND (
              $11::smallint[] IS NULL
              OR t.now_initiative = ANY ($11::smallint[])
              OR (t.now_initiative = 0 AND (t.now_kind = ANY ($12::text[])) <> $13)
          )
          AND (
              $14::smallint = 0
              OR (
                  SELECT p.side
                  FROM views.parties p
                  WHERE p.journal = $1 AND p.tenant = $2 AND p.party = t.now_initiator
              ) = $14::smallint
          )
        ORDER BY t.b DESC, t.position DESC
        LIMIT $6
    ) AS t
    ORDER BY t.position DESC
    LIMIT $6
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
ORDER BY page.position DESC;
