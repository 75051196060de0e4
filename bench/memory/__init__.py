"""What a participant takes of a server's memory."""
