"""How much one media worker carries, and what its overload mode brings."""
