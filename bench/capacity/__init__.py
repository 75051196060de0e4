"""How many people one worker carries."""
