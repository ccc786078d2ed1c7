"""The arithmetic of social capital: pure, exact, and the same in any order of processing."""
