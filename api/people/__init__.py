"""The people of the clinic in memory: their names, and the index of the search for patients."""
