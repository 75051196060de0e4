"""What an hour of people coming and going leaves behind in the services."""
