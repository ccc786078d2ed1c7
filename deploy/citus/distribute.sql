-- Spreads a migrated, prepared and still empty installation over a Citus cluster: by `journal`, so that
-- everything of a journal is on one node and a transaction never leaves it. Once, as the owner, on the
-- coordinator, after prepare.sql. Every table of both schemas is named here, in one of three ways.

-- 1. By journal, with the journals themselves first: all the others lie where their journal does.
SELECT create_distributed_table('journal.journals', 'journal');
SELECT create_distributed_table('journal.events', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('journal.event_keys', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('journal.archives', 'journal', colocate_with => 'journal.journals');

SELECT create_distributed_table('views.checkpoints', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.ticks', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.tenants', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.touchpoints', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.amendments', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.balances', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.standings', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.parties', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.descriptions', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.links', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.identities', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.policies', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.other_facts', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.fulfilments', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.affiliations', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.parked', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.attention_journals', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.attention_tenants', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.attention_items', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.attention_log', 'journal', colocate_with => 'journal.journals');
SELECT create_distributed_table('views.discarded', 'journal', colocate_with => 'journal.journals');

-- 2. On every node: which journal a tenant is in is asked before the journal is known.
SELECT create_reference_table('journal.tenants');

-- 3. On the coordinator alone: what makes partitions there, and which migrations it has.
SELECT citus_add_local_table_to_metadata('journal.settings');
SELECT citus_add_local_table_to_metadata('journal.partitions');
SELECT citus_add_local_table_to_metadata('journal.schema_migrations');
SELECT citus_add_local_table_to_metadata('views.schema_migrations');

-- The function that appends runs where its journal is: one round trip from the coordinator instead of
-- one for each of its statements. Without this it is as right, and slower.
SELECT create_distributed_function(
         p.oid::regprocedure, 'p_journal', colocate_with => 'journal.journals'
       )
  FROM pg_catalog.pg_proc p
 WHERE p.pronamespace = 'journal'::regnamespace AND p.proname = 'append_group';
