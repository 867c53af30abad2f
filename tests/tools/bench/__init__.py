"""Measures the real hub, run as processes: `python -m tests.tools.bench`. The scenarios are in `scenarios`."""
