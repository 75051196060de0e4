"""What a voice loses on a bad network, and what of it comes after all."""
