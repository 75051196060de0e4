"""How long it takes to be heard and to hear."""
