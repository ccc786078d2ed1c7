"""Statements of freezing, detaching and attaching; run as the owner of the schema journal."""
