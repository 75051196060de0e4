"""A websocket from the upgrade to its end: bytes, connection, door."""
