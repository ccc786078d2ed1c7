-- How many keys each master key wraps.
SELECT master_key_id, count(*) AS keys
  FROM vault.subject_keys
 GROUP BY master_key_id
 ORDER BY master_key_id
