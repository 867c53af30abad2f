"""The hub on one machine: engines, children, deaths."""
