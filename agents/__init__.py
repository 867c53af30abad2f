"""The Faust process: one actor per doctor decides, writes to MongoDB and only then tells."""
