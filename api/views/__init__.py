"""The read side of an api process: views in memory that are kept up to date."""
