"""The log of a room: how it is written, kept near, told to other replicas, and forgotten."""
