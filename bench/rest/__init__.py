"""What a REST request costs, and how long it takes."""
