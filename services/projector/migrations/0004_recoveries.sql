-- An incident or a recovery step in a batch is weighed against the others of its pair, and only those
-- are read: without an index that would be the pair's whole history.
CREATE INDEX touchpoints_recoveries ON views.touchpoints (journal, tenant, a, b)
    WHERE now_kind IN ('incident', 'recovery') AND state <> 3;
