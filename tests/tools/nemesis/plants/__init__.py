"""Processes with a planted fault, one guard less each: what the judge must not overlook."""
