"""What all REST endpoints share: the route table, middleware, problems, authentication and rate limits."""
