"""Everything at once, for minutes, from one seed: a recorded history, and what it must show."""
