"""A nemesis and its judge: the whole hub under random combinations of faults, and every promise checked afterwards."""
