"""What the payloads of events take: rules of every field, for whoever accepts one."""
