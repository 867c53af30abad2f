"""A stand-in for the api process, for tests of `clinic-hub run`."""
