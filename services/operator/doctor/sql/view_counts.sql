-- How many rows the read models of a journal have. Every event is in exactly one of the first seven.
-- $1 journal text: the journal
SELECT (SELECT count(*) FROM views.touchpoints t WHERE t.journal = $1) AS touchpoints,
       (SELECT count(*) FROM views.amendments t WHERE t.journal = $1) AS amendments,
       (SELECT count(*) FROM views.descriptions t WHERE t.journal = $1) AS descriptions,
       (SELECT count(*) FROM views.links t WHERE t.journal = $1) AS links,
       (SELECT count(*) FROM views.policies t WHERE t.journal = $1) AS policies,
       (SELECT count(*) FROM views.other_facts t WHERE t.journal = $1) AS other_facts,
       (SELECT count(*) FROM views.parked t WHERE t.journal = $1) AS parked,
       (SELECT count(*) FROM views.balances t WHERE t.journal = $1) AS balances,
       (SELECT count(*) FROM views.standings t WHERE t.journal = $1) AS standings,
       (SELECT count(*) FROM views.parties t WHERE t.journal = $1) AS parties
