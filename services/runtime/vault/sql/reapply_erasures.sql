-- Destroys the keys of erased subjects that a restored backup brought back; one row for each.
DELETE FROM vault.subject_keys k
 USING vault.erased_subjects e
 WHERE e.tenant = k.tenant AND e.subject = k.subject
RETURNING k.tenant, k.subject
