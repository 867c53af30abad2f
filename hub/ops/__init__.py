"""Tools for operators: command line, local run, seed, demo, judge, checks, doctors' accounts."""
