"""Stands in for the api process where a test is about the run and not about the api."""
