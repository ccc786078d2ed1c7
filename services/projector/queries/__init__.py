"""Questions to the read models: thin, read-only, each in one consistent snapshot of them."""
