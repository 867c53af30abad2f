"""What people who run the hub use: command line, local stack, seed, demo, judge, checks, accounts of doctors."""
