-- How many keys each master key wraps.
SELECT k.master_key_id, count(*) AS keys FROM vault.subject_keys k GROUP BY 1 ORDER BY 1
