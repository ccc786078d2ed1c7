-- The keys of some subjects of a tenant, and which of them are erased. One row for each, any order.
-- $1 text: tenant
-- $2 text[]: subjects, each once
SELECT s.subject, k.wrapped_key, k.master_key_id, e.subject IS NOT NULL AS erased
  FROM unnest($2::text[]) AS s (subject)
  LEFT JOIN vault.subject_keys k ON k.tenant = $1 AND k.subject = s.subject
  LEFT JOIN vault.erased_subjects e ON e.tenant = $1 AND e.subject = s.subject
