-- The erased subjects of the key store, with whether a key of theirs is there nevertheless.
SELECT e.tenant, e.subject, e.event_id::text AS event_id, k.subject IS NOT NULL AS has_key
  FROM vault.erased_subjects e
  LEFT JOIN vault.subject_keys k ON k.tenant = e.tenant AND k.subject = e.subject
 ORDER BY e.tenant, e.subject
