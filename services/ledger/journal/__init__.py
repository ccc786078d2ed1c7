"""The journal in Postgres: the only truth."""
