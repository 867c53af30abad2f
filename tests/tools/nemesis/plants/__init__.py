"""Processes with a planted bug: each lacks one guard. The judge must find each of them."""
