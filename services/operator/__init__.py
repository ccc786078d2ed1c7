"""What an operator does to an installation: compare, restore, rebuild, retry, rotate."""
