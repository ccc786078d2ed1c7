-- What a migrated schema has and Citus does not take. Once, as the owner, on the coordinator, before
-- distribute.sql. None of it changes what the services send or get.

-- Triggers on distributed tables. The writer still has no right to change or delete what it wrote;
-- what goes is the guard against the owner's own slips. With the function gone,
-- journal.ensure_partitions makes no trigger on new partitions either.
DROP FUNCTION journal.refuse_change() CASCADE;

-- A reference table may not point at a distributed one. Journals are never deleted, and the ledger
-- looks a journal up before it makes a tenant in it.
ALTER TABLE journal.tenants DROP CONSTRAINT tenants_journal;
