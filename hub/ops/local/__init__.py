"""The hub on one machine: its engines and services as child processes on loopback ports."""
