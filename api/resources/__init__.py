"""The REST resources: one module a noun."""
