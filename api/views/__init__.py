"""The live read side of an api process: what reads need, kept in memory."""
