"""The frames of the websocket: what they say, how they are read and written, and their published form."""
