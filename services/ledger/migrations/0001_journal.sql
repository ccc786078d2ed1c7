-- The journals: append-only, gapless, commit-ordered logs, and what keeps their events unique.
-- `journal` comes first in every key, so that the tables distribute by it. Instants are microseconds
-- since 2000-01-01 UTC. Names compare by byte (COLLATE "C"). `type` is a payload's full proto name.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rapport_ledger') THEN
    CREATE ROLE rapport_ledger NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- One row a journal; whoever appends holds its lock, which is what puts positions in commit order.
CREATE TABLE journal.journals (
  journal             text   COLLATE "C" NOT NULL,
  incarnation         uuid   NOT NULL,            -- renewed after a restore to an earlier point
  head                bigint NOT NULL DEFAULT 0,  -- position of the last event
  last_recorded_at_us bigint NOT NULL,
  created_at_us       bigint NOT NULL,
  CONSTRAINT journals_pkey PRIMARY KEY (journal),
  CONSTRAINT journals_name CHECK (journal ~ '^[a-z0-9-]{1,63}$'),
  CONSTRAINT journals_head CHECK (head >= 0)
) WITH (fillfactor = 10);  -- room for new versions of a row that every append moves

-- A tenant is pinned to one journal for good: nobody but the owner may change a row.
CREATE TABLE journal.tenants (
  tenant        text   COLLATE "C" NOT NULL,
  journal       text   COLLATE "C" NOT NULL,
  created_at_us bigint NOT NULL,
  CONSTRAINT tenants_pkey PRIMARY KEY (tenant),
  CONSTRAINT tenants_name CHECK (tenant ~ '^[a-z0-9-]{1,63}$'),
  CONSTRAINT tenants_journal FOREIGN KEY (journal) REFERENCES journal.journals (journal)
);

-- The facts, in partitions by position, so that old ones can be detached.
CREATE TABLE journal.events (
  journal        text    COLLATE "C" NOT NULL,
  position       bigint  NOT NULL,
  revision       bigint  NOT NULL,
  occurred_at_us bigint  NOT NULL,
  recorded_at_us bigint  NOT NULL,
  event_id       uuid    NOT NULL,
  schema_version integer NOT NULL,
  verified       boolean NOT NULL,                -- whether recorded_by was authenticated
  tenant         text    COLLATE "C" NOT NULL,
  type           text    COLLATE "C" NOT NULL,
  home           text    COLLATE "C" NOT NULL,
  kind           text    COLLATE "C",             -- of touchpoints
  recorded_by    text    COLLATE "C" NOT NULL,
  correlation_id text    COLLATE "C",
  causation_id   uuid,
  payload_sha256 bytea   NOT NULL,
  payload        bytea   NOT NULL,                -- as serialised once, at the edge
  CONSTRAINT events_pkey PRIMARY KEY (journal, position),
  CONSTRAINT events_position CHECK (position > 0),
  CONSTRAINT events_revision CHECK (revision > 0)
) PARTITION BY RANGE (position);

-- What is sealed does not compress: trying would only cost every append its time.
ALTER TABLE journal.events ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE INDEX events_erasures ON journal.events (journal, position)
  WHERE type = 'rapport.events.v1.SubjectErased';

-- One row an event, for ever: makes event ids unique across partitions, answers replays even when
-- the event's partition was detached, and counts the revisions of homes: that is why there is no
-- table of homes, which every append would have to update.
CREATE TABLE journal.event_keys (
  journal        text    COLLATE "C" NOT NULL,
  tenant         text    COLLATE "C" NOT NULL,
  event_id       uuid    NOT NULL,
  position       bigint  NOT NULL,
  home           text    COLLATE "C" NOT NULL,
  revision       bigint  NOT NULL,
  recorded_at_us bigint  NOT NULL,
  occurred_at_us bigint  NOT NULL,
  schema_version integer NOT NULL,
  type           text    COLLATE "C" NOT NULL,
  payload_sha256 bytea   NOT NULL,
  CONSTRAINT event_keys_pkey PRIMARY KEY (journal, tenant, event_id),
  CONSTRAINT event_keys_home_revision UNIQUE (journal, tenant, home, revision)
);

-- What the owner may set: one row.
CREATE TABLE journal.settings (
  singleton           boolean NOT NULL DEFAULT true,
  partition_positions bigint  NOT NULL DEFAULT 5000000,  -- of partitions created from now on
  CONSTRAINT settings_pkey PRIMARY KEY (singleton),
  CONSTRAINT settings_one_row CHECK (singleton),
  CONSTRAINT settings_partition_positions CHECK (partition_positions > 0)
);
INSERT INTO journal.settings DEFAULT VALUES;

-- The partitions of events there are or were, without gaps.
CREATE TABLE journal.partitions (
  from_position    bigint NOT NULL,
  through_position bigint NOT NULL,
  name             text   NOT NULL,
  CONSTRAINT partitions_pkey PRIMARY KEY (from_position),
  CONSTRAINT partitions_range CHECK (from_position <= through_position)
);

-- The present instant in microseconds.
CREATE FUNCTION journal.now_us() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 946684800000000;

-- Makes partitions until they reach well beyond the head of every journal: a fifth of a partition,
-- or what many large groups take. Answers with the last position there is a partition for.
--
-- It runs with the owner's rights and takes no arguments, so that the writer can make nothing else
-- with it. A partition is made apart and then attached, which, unlike creating it in place, waits
-- for no reader or writer of events and makes none wait.
CREATE FUNCTION journal.ensure_partitions() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_size    bigint;
  v_needed  bigint;
  v_through bigint;
  v_name    text;
BEGIN
  SELECT s.partition_positions INTO STRICT v_size FROM journal.settings s;
  SELECT coalesce(max(j.head), 0) + greatest(v_size / 5, 20000) INTO v_needed
    FROM journal.journals j;
  SELECT coalesce(max(p.through_position), 0) INTO v_through FROM journal.partitions p;
  IF v_through >= v_needed THEN
    RETURN v_through;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('rapport.journal.partitions', 0));
  -- Another replica may have made them while this one waited.
  SELECT coalesce(max(p.through_position), 0) INTO v_through FROM journal.partitions p;
  WHILE v_through < v_needed LOOP
    v_name := 'events_from_' || lpad((v_through + 1)::text, 12, '0');
    EXECUTE format('CREATE TABLE journal.%I (LIKE journal.events INCLUDING ALL)', v_name);
    EXECUTE format(
      'ALTER TABLE journal.events ATTACH PARTITION journal.%I FOR VALUES FROM (%s) TO (%s)',
      v_name, v_through + 1, v_through + v_size + 1
    );
    -- Triggers on rows are passed down to partitions, those on TRUNCATE are not.
    IF to_regprocedure('journal.refuse_change()') IS NOT NULL THEN
      EXECUTE format(
        'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change()', v_name
      );
      EXECUTE format('ALTER TABLE journal.%I ENABLE ALWAYS TRIGGER refuse_truncate', v_name);
    END IF;
    INSERT INTO journal.partitions VALUES (v_through + 1, v_through + v_size, v_name);
    v_through := v_through + v_size;
  END LOOP;
  RETURN v_through;
END $$;

REVOKE ALL ON FUNCTION journal.ensure_partitions() FROM PUBLIC;

INSERT INTO journal.journals (journal, incarnation, last_recorded_at_us, created_at_us)
SELECT 'main', gen_random_uuid(), n.now_us, n.now_us FROM journal.now_us() AS n (now_us);

GRANT USAGE ON SCHEMA journal TO rapport_ledger;
GRANT SELECT ON journal.schema_migrations, journal.settings, journal.partitions TO rapport_ledger;
GRANT SELECT, INSERT ON journal.events, journal.event_keys TO rapport_ledger;
GRANT SELECT, INSERT ON journal.tenants, journal.journals TO rapport_ledger;
GRANT UPDATE (head, last_recorded_at_us) ON journal.journals TO rapport_ledger;
GRANT EXECUTE ON FUNCTION journal.ensure_partitions() TO rapport_ledger;
