"""What schemathesis is told when it tries the description of the REST API."""
