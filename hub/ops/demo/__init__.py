"""A morning in the clinic: the running hub, driven by real clients until every promise has been tried and checked."""
