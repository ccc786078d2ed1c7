-- Nobody changes or removes what is recorded, the owner included. The writer lacks the privileges
-- anyway; the triggers stop everybody else's slips. They fire whatever session_replication_role is.
-- In a migration of its own, because Citus takes no triggers on distributed tables. Detaching or
-- dropping a whole partition, which is the owner's to do, remains possible.

CREATE FUNCTION journal.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', tg_table_name, tg_op
    USING ERRCODE = 'restrict_violation',
          HINT = 'Record a Voided or Corrected event, or erase a subject through the ledger.';
END $$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal.events
  FOR EACH ROW EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal.events
  FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal.event_keys
  FOR EACH ROW EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal.event_keys
  FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();

ALTER TABLE journal.events ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE journal.events ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE journal.event_keys ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE journal.event_keys ENABLE ALWAYS TRIGGER refuse_truncate;
