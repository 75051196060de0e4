"""The embedded stack: PostgreSQL and Valkey from wheels, and the supervisor that keeps everything up.

`make run` goes through two stages: `dev/bootstrap.py` (any Python 3, standard library only) makes `.venv`,
and `python -m dev run` in that environment starts the rest.
"""
