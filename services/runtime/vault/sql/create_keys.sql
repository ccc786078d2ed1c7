-- Makes the missing keys of a tenant, never for an erased subject; answers as read_keys does.
-- $1 text: tenant
-- $2 text[]: subjects, each once
-- $3 bytea[]: a new wrapped key for each
-- $4 text: the master key that wrapped them
SELECT subject, wrapped_key, master_key_id, erased
  FROM vault.create_keys($1, $2, $3, $4)
