"""The edge of the ledger: LedgerService, from the wire to the journal and back."""
