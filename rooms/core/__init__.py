"""What a room is and does: values in, effects out. No socket, no clock, no database."""
