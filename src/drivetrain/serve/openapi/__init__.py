"""What the server is asked and answers, as OpenAPI 3.1 says it."""
