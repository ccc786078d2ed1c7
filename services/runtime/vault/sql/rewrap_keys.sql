-- Puts keys under another master key, where they are still what was read; a row for each changed.
-- $1 text[]: tenants
-- $2 text[]: subjects
-- $3 bytea[]: wrapped keys as read
-- $4 bytea[]: the same keys, wrapped again
-- $5 text: the master key that wrapped them
UPDATE vault.subject_keys k
   SET wrapped_key = n.rewrapped_key, master_key_id = $5
  FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
       AS n (tenant, subject, wrapped_key, rewrapped_key)
 WHERE k.tenant = n.tenant AND k.subject = n.subject AND k.wrapped_key = n.wrapped_key
RETURNING k.tenant
