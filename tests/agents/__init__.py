"""The parts of agents in one process: over a store in memory, with a dict as table and fakes for Faust."""
