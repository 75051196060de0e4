"""Everything else in PostgreSQL: rooms, people in them, and how they stand."""
