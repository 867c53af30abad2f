"""HTTP plumbing: the route table, middleware, problems, identity, limits."""
