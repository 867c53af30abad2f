"""One doctor's actor: decides batches of commands, keeps the slot table, remembers refusals."""
