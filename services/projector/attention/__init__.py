"""The turn of the day of attention items, and what publishes its log."""
