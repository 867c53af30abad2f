"""The agents' parts in one process: over a store in memory, a dict for the table, and stand-ins for Faust."""
