"""The rules of the clinic as pure values and functions: no I/O, no await, no clock."""
