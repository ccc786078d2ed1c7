-- A page of the touchpoints of people while they were somewhere, the latest occurred first: two index
-- scans for each stay. The stays of one person do not overlap; a pair of two who both stay is read
-- once, by its smaller one.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: and so on, one element a stay: who
-- $4 from_us bigint[]: since when, microseconds since 2000-01-01
-- $5 until_us bigint[]: until before when
-- $6 before_us bigint: of the last line of the page before, when it happened
-- $7 before_id uuid: its event id
-- $8 limit bigint: at most so many rows
-- $9 include_voided boolean: also those taken back
-- $10 kinds text[]: only these; null for all
-- $11 channels text[]: only these; null for all
-- $12 modes smallint[]: only these of Initiative; null for all
-- $13 default_kinds text[]: kinds whose own mode is among them, or (next bind) is not
-- $14 default_kinds_are_excluded boolean: true if default_kinds lists those whose mode is not
-- $15 side smallint: only initiators of this Side; 0 for all
WITH page AS (
    SELECT t.*
    FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS stay (person, from_us, until_us)
    CROSS JOIN LATERAL (
        (
            SELECT t.event_id, t.a, t.b, t.position, t.now_occurred_at_us, t.recorded_at_us,
                   t.recorded_by, octet_length(t.payload) AS bytes, t.state, t.now_kind,
                   t.now_initiative, t.corrected_by, t.voided_by
            FROM views.touchpoints t
            WHERE t.journal = $1
              AND t.tenant = $2
              AND t.a = stay.person
              AND t.now_occurred_at_us >= stay.from_us
              AND t.now_occurred_at_us < stay.until_us
              AND (t.now_occurred_at_us, t.event_id) < ($6, $7)
              AND ($9 OR t.state <> 3)
              AND ($10::text[] IS NULL OR t.now_kind = ANY ($10::text[]))
              AND ($11::text[] IS NULL OR t.now_channel = ANY ($11::text[]))
              AND (
                  $12::smallint[] IS NULL
                  OR t.now_initiative = ANY ($12::smallint[])
                  OR (t.now_initiative = 0 AND (t.now_kind = ANY ($13::text[])) <> $14)
              )
              AND (
                  $15::smallint = 0
                  OR (
                      SELECT p.side
                      FROM views.parties p
                      WHERE p.journal = $1 AND p.tenant = $2 AND p.party = t.now_initiator
                  ) = $15::smallint
              )
            ORDER BY t.now_occurred_at_us DESC, t.event_id DESC
            LIMIT $8
        )
        UNION ALL
        (
            SELECT t.event_id, t.a, t.b, t.position, t.now_occurred_at_us, t.recorded_at_us,
                   t.recorded_by, octet_length(t.payload) AS bytes, t.state, t.now_kind,
                   t.now_initiative, t.corrected_by, t.voided_by
            FROM views.touchpoints t
            WHERE t.journal = $1
              AND t.tenant = $2
              AND t.b = stay.person
              AND t.now_occurred_at_us >= stay.from_us
              AND t.now_occurred_at_us < stay.until_us
              AND NOT EXISTS (
                  SELECT
                  FROM unnest($3::text[], $4::bigint[], $5::bigint[])
                      AS other (person, from_us, until_us)
                  WHERE other.person = t.a
                    AND t.now_occurred_at_us >= other.from_us
                    AND t.now_occurred_at_us < other.until_us
              )
              AND (t.now_occurred_at_us, t.event_id) < ($6, $7)
              AND ($9 OR t.state <> 3)
              AND ($10::text[] IS NULL OR t.now_kind = ANY ($10::text[]))
              AND ($11::text[] IS NULL OR t.now_channel = ANY ($11::text[]))
              AND (
                  $12::smallint[] IS NULL
                  OR t.now_initiative = ANY ($12::smallint[])
                  OR (t.now_initiative = 0 AND (t.now_kind = ANY ($13::text[])) <> $14)
              )
              AND (
                  $15::smallint = 0
                  OR (
                      SELECT p.side
                      FROM views.parties p
                      WHERE p.journal = $1 AND p.tenant = $2 AND p.party = t.now_initiator
                  ) = $15::smallint
              )
            ORDER BY t.now_occurred_at_us DESC, t.event_id DESC
            LIMIT $8
        )
    ) AS t
    ORDER BY t.now_occurred_at_us DESC, t.event_id DESC
    LIMIT $8
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
ORDER BY page.now_occurred_at_us DESC, page.event_id DESC;
