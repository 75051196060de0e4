"""What everybody coming back at once costs PostgreSQL."""
