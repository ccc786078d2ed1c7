"""Comparing everything derived with the journal, and the journal with itself."""
