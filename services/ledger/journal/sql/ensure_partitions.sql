-- Make partitions well ahead of every head; answers with the last position there is one for.
SELECT journal.ensure_partitions()
