"""Measures the real hub, run as processes: `python -m tests.bench`. What there is to measure stands in `scenarios`."""
