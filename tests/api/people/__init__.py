"""The people in memory: the index of the search, and how it follows the record."""
