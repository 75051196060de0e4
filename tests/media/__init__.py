"""The media worker: its pure parts, and the whole of it on loopback."""
