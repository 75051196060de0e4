"""The REST API and the page, at one address."""
