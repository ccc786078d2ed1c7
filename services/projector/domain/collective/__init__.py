"""What many relationships are together: pure, exact, and the same in any order of processing."""
