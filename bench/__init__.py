"""What we measure, and how: bench/README.md."""
