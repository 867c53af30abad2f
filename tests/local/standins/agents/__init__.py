"""A stand-in for the agents process, for tests of `clinic-hub run`."""
