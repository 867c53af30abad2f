"""The rules of the clinic as values and pure functions, without I/O, `await` or a clock."""
