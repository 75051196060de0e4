"""The packet loop in C."""
