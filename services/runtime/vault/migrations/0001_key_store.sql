-- The key store: one key for every party personal text is about, and one for each tenant itself.
-- It stands apart from the journal and its backups: whoever holds only those can read no text.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rapport_vault') THEN
    CREATE ROLE rapport_vault NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- For services that open texts and never seal any.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rapport_vault_reader') THEN
    CREATE ROLE rapport_vault_reader NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

CREATE TABLE vault.subject_keys (
  tenant        text        NOT NULL,
  subject       text        NOT NULL,  -- people/{id}, organizations/{id}, or tenant
  wrapped_key   bytea       NOT NULL,  -- 32 bytes under the master key, bound to tenant and subject
  master_key_id text        NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT subject_keys_pkey PRIMARY KEY (tenant, subject)
);

-- Who was erased, for ever: no key is made for them again, and none that a backup brings back stays.
CREATE TABLE vault.erased_subjects (
  tenant    text        NOT NULL,
  subject   text        NOT NULL,
  erased_at timestamptz NOT NULL DEFAULT now(),
  event_id  uuid        NOT NULL,      -- the SubjectErased that asked for it
  CONSTRAINT erased_subjects_pkey PRIMARY KEY (tenant, subject)
);

-- Makes the keys that are missing and answers with the state of all subjects asked for.
--
-- The lock comes first and each statement after it sees what was committed before it was granted:
-- an erasure takes the same lock alone, so no key can appear for a subject just being erased.
-- Keys are inserted in one order by everybody, so that two callers cannot wait for each other.
CREATE FUNCTION vault.create_keys(
  p_tenant text, p_subjects text[], p_wrapped_keys bytea[], p_master_key_id text
) RETURNS TABLE (subject text, wrapped_key bytea, master_key_id text, erased boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock_shared(5927106890571011412);
  INSERT INTO vault.subject_keys (tenant, subject, wrapped_key, master_key_id)
  SELECT p_tenant, n.subject, n.wrapped_key, p_master_key_id
    FROM unnest(p_subjects, p_wrapped_keys) AS n (subject, wrapped_key)
   WHERE NOT EXISTS (
           SELECT FROM vault.erased_subjects e
            WHERE e.tenant = p_tenant AND e.subject = n.subject)
   ORDER BY n.subject COLLATE "C"
  ON CONFLICT ON CONSTRAINT subject_keys_pkey DO NOTHING;
  RETURN QUERY
  SELECT n.subject, k.wrapped_key, k.master_key_id, e.subject IS NOT NULL
    FROM unnest(p_subjects) AS n (subject)
    LEFT JOIN vault.subject_keys k ON k.tenant = p_tenant AND k.subject = n.subject
    LEFT JOIN vault.erased_subjects e ON e.tenant = p_tenant AND e.subject = n.subject;
END $$;

-- Destroys the key of a subject and lists it; asked again, it answers with the first erasure.
CREATE FUNCTION vault.erase_subject(p_tenant text, p_subject text, p_event_id uuid)
RETURNS TABLE (erased_at timestamptz, event_id uuid, key_destroyed boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  destroyed boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(5927106890571011412);
  INSERT INTO vault.erased_subjects (tenant, subject, event_id)
  VALUES (p_tenant, p_subject, p_event_id)
  ON CONFLICT ON CONSTRAINT erased_subjects_pkey DO NOTHING;
  DELETE FROM vault.subject_keys k WHERE k.tenant = p_tenant AND k.subject = p_subject;
  destroyed := FOUND;
  RETURN QUERY
  SELECT e.erased_at, e.event_id, destroyed
    FROM vault.erased_subjects e
   WHERE e.tenant = p_tenant AND e.subject = p_subject;
END $$;

REVOKE ALL ON FUNCTION vault.create_keys(text, text[], bytea[], text) FROM PUBLIC;
REVOKE ALL ON FUNCTION vault.erase_subject(text, text, uuid) FROM PUBLIC;

GRANT USAGE ON SCHEMA vault TO rapport_vault, rapport_vault_reader;
GRANT SELECT ON vault.schema_migrations, vault.subject_keys, vault.erased_subjects
   TO rapport_vault, rapport_vault_reader;
-- Erasures are listed and never taken off the list: no UPDATE, no DELETE there.
GRANT INSERT ON vault.subject_keys, vault.erased_subjects TO rapport_vault;
GRANT DELETE ON vault.subject_keys TO rapport_vault;
-- For rotation, which wraps the same key again.
GRANT UPDATE (wrapped_key, master_key_id) ON vault.subject_keys TO rapport_vault;
GRANT EXECUTE ON FUNCTION vault.create_keys(text, text[], bytea[], text) TO rapport_vault;
GRANT EXECUTE ON FUNCTION vault.erase_subject(text, text, uuid) TO rapport_vault;
