"""Intake: events of every journal from NATS or the ledger, in order, without a gap, to `apply`."""
