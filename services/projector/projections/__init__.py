"""Projections: from events to rows, exactly once and the same rows for any order of processing."""
