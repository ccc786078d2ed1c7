"""Importing tables: a mapping file says how a row becomes an event."""
