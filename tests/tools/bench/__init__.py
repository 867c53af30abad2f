"""Measures the hub, which runs as processes: `python -m tests.tools.bench`. `scenarios` lists what is measured."""
