"""Stands in for the agents process where a test is about the run and not about agents."""
