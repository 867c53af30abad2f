"""Fault injection: runs the whole hub under random combinations of faults, and checks every promise afterwards."""
