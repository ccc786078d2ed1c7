"""Statements of the doctor: they only read."""
