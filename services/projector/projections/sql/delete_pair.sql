-- Deletes what is kept of a raw pair: its touchpoints, the amendments at home with it, what these
-- say is fulfilled, and its balance.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 a text: the smaller person
-- $4 b text: the larger one
-- $5 positions bigint[]: the events at home with the pair
WITH touched AS (
    DELETE FROM views.touchpoints t
    WHERE t.journal = $1 AND t.tenant = $2 AND t.a = $3 AND t.b = $4
    RETURNING t.event_id, t.position
), amended AS (
    DELETE FROM views.amendments m
    WHERE m.journal = $1 AND m.tenant = $2 AND m.position = ANY ($5::bigint[])
    RETURNING m.position
), fulfilled AS (
    DELETE FROM views.fulfilments f
    WHERE f.journal = $1 AND f.tenant = $2
      AND (f.position = ANY ($5::bigint[]) OR f.position IN (SELECT position FROM touched))
), gone AS (
    DELETE FROM views.balances b
    WHERE b.journal = $1 AND b.tenant = $2 AND b.a = $3 AND b.b = $4
)
SELECT count(*) FROM touched;
