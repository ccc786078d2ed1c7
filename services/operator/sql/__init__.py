"""Statements of the operator's commands."""
