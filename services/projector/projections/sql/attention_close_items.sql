-- Takes items away that are open no more.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 items text[]: their ids
DELETE FROM views.attention_items
WHERE journal = $1 AND tenant = $2 AND item = ANY ($3::text[]);
