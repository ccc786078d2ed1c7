"""Old events to files and back: closed partitions frozen, detached, attached again."""
