-- The attention log of every journal that has one, and its last number.
SELECT journal, last_number FROM views.attention_journals ORDER BY journal;
