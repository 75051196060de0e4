"""A load of voices on a server that runs, for who runs it."""
