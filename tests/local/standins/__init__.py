"""Modules that take the place of the real processes."""
