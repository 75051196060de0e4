"""What works from where this runs, and what to change where something does not: `python -m doctor`.

It knows the settings of rooms, goes through the page's own door, asks media for voice as rooms does, and
tries each way that a browser would be told.
"""
