"""What is derived of one relationship as of a day: pure functions of a RelationshipView."""
