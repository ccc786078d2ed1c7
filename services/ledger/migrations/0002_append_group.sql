-- Appends a group of requests to a journal, each with a verdict of its own: one statement, one
-- transaction, one round trip under the lock of the journal's row.
--
-- Records come as parallel arrays in the order of their requests; p_request numbers the requests.
-- Within a group the caller sees to it that no two requests share an event id, that none expects a
-- revision of a home that an earlier one adds to, and that no request's unknown target is an event
-- of the group: then verdicts do not depend on each other, and sets can judge what loops would.
--
-- A request is refused when one of its event ids stands for another event (taken), when one of its
-- unknown targets is stored by now (appeared), or when a home is not at the expected revision
-- (conflict). Records already stored are replays (known). Everything else is new: positions follow
-- the head without gaps, revisions their home.
--
-- Ordinals count records from 1. The arrays that describe exceptions are NULL when there are none.
CREATE FUNCTION journal.append_group(
  p_journal           text,
  p_request           integer[],
  p_tenant            text[],
  p_recorded_by       text[],
  p_verified          boolean[],
  p_event_id          uuid[],
  p_type              text[],
  p_home              text[],
  p_home_number       integer[],  -- its place among the different homes below
  p_home_count        integer[],  -- how many records of the group up to this one have that home
  p_kind              text[],
  p_occurred_at_us    bigint[],   -- NULL elements: when it is recorded
  p_expected_revision bigint[],   -- NULL elements: any; NULL: any for all
  p_correlation_id    text[],
  p_causation_id      uuid[],
  p_schema_version    integer[],
  p_payload           bytea[],
  p_payload_sha256    bytea[],
  p_known_replay      boolean[],  -- true elements: a replay if stored, whatever differs; NULL: none
  p_homes_tenant      text[],     -- the different homes of the group
  p_homes             text[],
  p_target_request    integer[],
  p_target_tenant     text[],
  p_target            uuid[],
  OUT o_head                 bigint,    -- after the group; NULL: there is no such journal
  OUT o_recorded_at_us       bigint,
  OUT o_positions            bigint[],  -- of every record; NULL elements: not new
  OUT o_revisions            bigint[],
  OUT o_known_ordinals       integer[],
  OUT o_known_positions      bigint[],
  OUT o_known_homes          text[],
  OUT o_known_revisions      bigint[],
  OUT o_known_recorded_at_us bigint[],
  OUT o_known_occurred_at_us bigint[],
  OUT o_taken_ordinals       integer[],
  OUT o_appeared_requests    integer[],
  OUT o_appeared             uuid[],
  OUT o_conflict_ordinals    integer[],
  OUT o_conflict_current     bigint[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
-- Every statement has one good plan, a lookup by key for each record, whatever the size of tables.
-- Left alone, the planner finds others while tables are empty, and keeps them while they fill. By
-- number of columns it cannot even tell the two indexes of event_keys apart then: hence event ids
-- are looked up BETWEEN x AND x, in order, which takes the right one to avoid a sort.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET enable_sort = off
AS $$
DECLARE
  v_head    bigint;
  v_last_us bigint;
  v_new     boolean[];  -- NULL: all are
  v_homes   bigint[];   -- how many events the homes have
  v_refused integer[] := '{}';
  v_more    integer[];
  v_count   bigint;
BEGIN
  -- 1. The lock. Only under READ COMMITTED do the statements below see what was committed before
  -- it was granted.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append_group needs READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  SELECT j.head, j.last_recorded_at_us INTO v_head, v_last_us
    FROM journal.journals j WHERE j.journal = p_journal FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  -- 2. Which are stored already, and as the same event?
  PERFORM FROM unnest(p_tenant, p_event_id) AS r (tenant, event_id)
   CROSS JOIN LATERAL (
     SELECT FROM journal.event_keys k
      WHERE k.journal = p_journal AND k.tenant = r.tenant
        AND k.event_id BETWEEN r.event_id AND r.event_id
      ORDER BY k.event_id LIMIT 1
   ) k
   LIMIT 1;
  IF FOUND THEN
    WITH compared AS (
      SELECT r.ordinal, r.request, k.position, k.home, k.revision, k.recorded_at_us,
             k.occurred_at_us,
             k.position IS NOT NULL AND r.known IS NOT TRUE AND NOT (
               k.payload_sha256 = r.payload_sha256 AND k.type = r.type
               AND k.schema_version = r.schema_version
               AND coalesce(r.occurred_at_us = k.occurred_at_us, true)
             ) AS taken
        FROM unnest(
               p_request, p_tenant, p_event_id, p_type, p_schema_version, p_occurred_at_us,
               p_payload_sha256, p_known_replay
             ) WITH ORDINALITY AS r (
               request, tenant, event_id, type, schema_version, occurred_at_us,
               payload_sha256, known, ordinal
             )
        LEFT JOIN LATERAL (
          SELECT * FROM journal.event_keys k
           WHERE k.journal = p_journal AND k.tenant = r.tenant
             AND k.event_id BETWEEN r.event_id AND r.event_id
           ORDER BY k.event_id LIMIT 1
        ) k ON true
    )
    SELECT array_agg(c.position IS NULL ORDER BY c.ordinal),
           array_agg(c.ordinal ORDER BY c.ordinal) FILTER (WHERE c.position IS NOT NULL),
           array_agg(c.position ORDER BY c.ordinal) FILTER (WHERE c.position IS NOT NULL),
           array_agg(c.home ORDER BY c.ordinal) FILTER (WHERE c.position IS NOT NULL),
           array_agg(c.revision ORDER BY c.ordinal) FILTER (WHERE c.position IS NOT NULL),
           array_agg(c.recorded_at_us ORDER BY c.ordinal) FILTER (WHERE c.position IS NOT NULL),
           array_agg(c.occurred_at_us ORDER BY c.ordinal) FILTER (WHERE c.position IS NOT NULL),
           array_agg(c.ordinal ORDER BY c.ordinal) FILTER (WHERE c.taken),
           coalesce(array_agg(DISTINCT c.request) FILTER (WHERE c.taken), '{}')
      INTO v_new, o_known_ordinals, o_known_positions, o_known_homes, o_known_revisions,
           o_known_recorded_at_us, o_known_occurred_at_us, o_taken_ordinals, v_refused
      FROM compared c;
  END IF;

  -- 3. Which targets appeared since their absence was relied on?
  IF cardinality(p_target) > 0 THEN
    SELECT array_agg(t.request), array_agg(t.target) INTO o_appeared_requests, o_appeared
      FROM unnest(p_target_request, p_target_tenant, p_target) AS t (request, tenant, target)
     CROSS JOIN LATERAL (
       SELECT FROM journal.event_keys k
        WHERE k.journal = p_journal AND k.tenant = t.tenant
          AND k.event_id BETWEEN t.target AND t.target
        ORDER BY k.event_id LIMIT 1
     ) k;
    v_refused := v_refused || coalesce(o_appeared_requests, '{}');
  END IF;

  -- 4. Where are the homes, and which are not where they were expected, earlier new events of the
  -- request included?
  SELECT array_agg(coalesce(k.revision, 0) ORDER BY h.ordinal) INTO v_homes
    FROM unnest(p_homes_tenant, p_homes) WITH ORDINALITY AS h (tenant, home, ordinal)
    LEFT JOIN LATERAL (
      SELECT k.revision FROM journal.event_keys k
       WHERE k.journal = p_journal AND k.tenant = h.tenant AND k.home = h.home
       ORDER BY k.revision DESC LIMIT 1
    ) k ON true;
  IF p_expected_revision IS NOT NULL THEN
    SELECT array_agg(c.ordinal ORDER BY c.ordinal), array_agg(c.current ORDER BY c.ordinal),
           array_agg(c.request)
      INTO o_conflict_ordinals, o_conflict_current, v_more
      FROM (
        SELECT r.ordinal, r.request, r.expected,
               v_homes[r.home] - 1
                 + row_number() OVER (PARTITION BY r.request, r.home ORDER BY r.ordinal) AS current
          FROM unnest(p_request, p_home_number, p_expected_revision, v_new)
               WITH ORDINALITY AS r (request, home, expected, new, ordinal)
         WHERE r.new IS NOT FALSE
      ) c
     WHERE c.expected <> c.current;
    v_refused := v_refused || coalesce(v_more, '{}');
  END IF;
  IF cardinality(v_refused) > 0 THEN
    SELECT array_agg(r.new IS NOT FALSE AND r.request <> ALL (v_refused) ORDER BY r.ordinal)
      INTO v_new
      FROM unnest(p_request, v_new) WITH ORDINALITY AS r (request, new, ordinal);
  END IF;

  -- 5. Positions and revisions of what is new.
  IF v_new IS NULL THEN
    v_count := cardinality(p_event_id);
    SELECT array_agg(v_head + r.ordinal ORDER BY r.ordinal),
           array_agg(v_homes[r.home] + r.home_count ORDER BY r.ordinal)
      INTO o_positions, o_revisions
      FROM unnest(p_home_number, p_home_count) WITH ORDINALITY AS r (home, home_count, ordinal);
  ELSE
    SELECT count(*) FILTER (WHERE n.new),
           array_agg(CASE WHEN n.new THEN v_head + n.place END ORDER BY n.ordinal),
           array_agg(CASE WHEN n.new THEN v_homes[n.home] + n.home_place END ORDER BY n.ordinal)
      INTO v_count, o_positions, o_revisions
      FROM (
        SELECT r.ordinal, r.home, r.new,
               count(*) FILTER (WHERE r.new) OVER (ORDER BY r.ordinal) AS place,
               count(*) FILTER (WHERE r.new) OVER (PARTITION BY r.home ORDER BY r.ordinal)
                 AS home_place
          FROM unnest(p_home_number, v_new) WITH ORDINALITY AS r (home, new, ordinal)
      ) n;
  END IF;
  -- Never decreasing, whatever the clock does: "known at a time" is "up to a position".
  o_recorded_at_us := greatest(journal.now_us(), v_last_us);
  o_head := v_head + v_count;
  IF v_count = 0 THEN
    RETURN;
  END IF;

  -- 6. The facts, their keys, and the row to its new head.
  INSERT INTO journal.events (
    journal, position, revision, occurred_at_us, recorded_at_us, event_id, schema_version,
    verified, tenant, type, home, kind, recorded_by, correlation_id, causation_id,
    payload_sha256, payload
  )
  SELECT p_journal, r.position, r.revision, coalesce(r.occurred_at_us, o_recorded_at_us),
         o_recorded_at_us, r.event_id, r.schema_version, r.verified, r.tenant, r.type, r.home,
         r.kind, r.recorded_by, r.correlation_id, r.causation_id, r.payload_sha256, r.payload
    FROM unnest(
           o_positions, o_revisions, p_occurred_at_us, p_event_id, p_schema_version, p_verified,
           p_tenant, p_type, p_home, p_kind, p_recorded_by, p_correlation_id, p_causation_id,
           p_payload_sha256, p_payload
         ) AS r (
           position, revision, occurred_at_us, event_id, schema_version, verified,
           tenant, type, home, kind, recorded_by, correlation_id, causation_id,
           payload_sha256, payload
         )
   WHERE r.position IS NOT NULL;

  INSERT INTO journal.event_keys (
    journal, tenant, event_id, position, home, revision, recorded_at_us, occurred_at_us,
    schema_version, type, payload_sha256
  )
  SELECT p_journal, r.tenant, r.event_id, r.position, r.home, r.revision, o_recorded_at_us,
         coalesce(r.occurred_at_us, o_recorded_at_us), r.schema_version, r.type, r.payload_sha256
    FROM unnest(
           p_tenant, p_event_id, o_positions, p_home, o_revisions, p_occurred_at_us,
           p_schema_version, p_type, p_payload_sha256
         ) AS r (
           tenant, event_id, position, home, revision, occurred_at_us, schema_version, type,
           payload_sha256
         )
   WHERE r.position IS NOT NULL;

  UPDATE journal.journals j
     SET head = o_head, last_recorded_at_us = o_recorded_at_us
   WHERE j.journal = p_journal;
END $$;

REVOKE ALL ON FUNCTION journal.append_group FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal.append_group TO rapport_ledger;
