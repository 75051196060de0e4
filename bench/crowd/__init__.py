"""What everybody hears in a room with many more people than slots."""
