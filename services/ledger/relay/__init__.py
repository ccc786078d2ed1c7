"""From the journal to JetStream: one stream a journal, stream sequence == journal position."""
