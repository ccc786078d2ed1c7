-- Destroys a subject's key and lists the subject as erased; one row, of the first erasure.
-- $1 text: tenant
-- $2 text: subject
-- $3 uuid: event id of the SubjectErased
SELECT erased_at, event_id, key_destroyed
  FROM vault.erase_subject($1, $2, $3)
